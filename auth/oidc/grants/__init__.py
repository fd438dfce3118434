"""What came of authorization requests: codes, tokens, pseudonyms, and what a client is told of a person.

code: once, 60 s, bound to client, address, challenge       service.use_code (one conditional UPDATE)
a code or refresh token used twice kills all of its grant   service.use_code, service.use_refresh
a session that is over, a frozen person: nothing works      queries.standing, asked on every use
pairwise `sub` per sector (S4)                              service.subject_in
claims by scope and consent; no name below level 2 (ID-4)   queries.userinfo
acr never higher than proven                                rules.level_told, queries.level_now
"""
