"""A copy of everything that is known of a person, for them (P-4).

one at a time, three a day              models (unique index), rules.ASKED_A_DAY
gathered by a job, in one snapshot      service.build
kept encrypted for a day                models.DataExport.content, service.forget_old
opened by a short signed link           service.link (level 3), service.open_link
"""
