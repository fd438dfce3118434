"""Answers that are the same for everybody, kept ready to send until the catalogue or the places change.

Every change calls `service.touch`; `queries.kept` goes by a revision looked up twice a second, so what is published
shows within a second in every process.
"""
