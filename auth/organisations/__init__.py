"""Organisations (legal persons) and who acts for them (ID-11).

an organisation is a subject of its own, by its credit code    models.Organisation, accounts.open_organisation   ID-11
it never signs in by itself                                    trigger person_signs_in (migration 0013)          ID-11
the legal representative is confirmed at the market registry   service.ask, service.register                     ID-11
a change there ends the role                                   service.recheck, rules.must_ask, jobs             ID-11
the representative appoints handlers and administrators        service.appoint, accept                           ID-11
an appointment ends with who made it possible [D]              rules.POLICY.appointments_end_with_representative
the registry is down: no new role, old ones go on for a while  rules.too_old                                     ID-11
"""
