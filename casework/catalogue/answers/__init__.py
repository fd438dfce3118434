"""Answers that are the same for everybody, kept ready to send until the catalogue or the places change.

Every change calls `service.touch`; `queries.answer` looks at the revision at most once a second, so what is published
shows within a second in every process.
"""
