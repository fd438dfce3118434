"""Confirming an act that matters: password or one-time code again, for this kind of act, in this session (PEERS W4).

which acts, for how long a confirmation stands   rules.Act, rules.STANDS
a wrong one counts like a wrong sign-in          service.confirm
asked at every route that declares it            queries.stands, core.web.access.staff(confirm=)
"""
