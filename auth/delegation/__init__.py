"""Acting for another person (委托代办): delegations, guardians, agencies, project officers.

Parts, each using only those above it:

record/      the one place where a delegation's state changes, with history, audit and announcement
service      offer, take, agree, end
guardians/   minors: household data, own acts, agreements
counter/     what staff do: paper and notarised delegations, disputes, contracts, project officers
personal/    what personal-data rights and the closing of an account need

who, for whom, for what, from when to when, on what evidence   models.Delegation                       DG-1
states, and what time does to one                              rules.TRANSITIONS, rules.standing       DG-1, DG-5
revoked at once, finished acts stay                            service.end                             DG-1
e-signed with a fresh proof of level 4                         service.sign                            DG-1, 3.7
family agent by a code read over the phone                     service.offer, take, confirm_by_code    DG-6
never marriage, fingerprints, or what the item forbids         rules.may                               DG-3
how many people one may act for; agencies by contract          service.check_room                      DG-4
minors                                                         guardians                               DG-5
project officers file and track                                counter.service.request_project         DG-8
nobody writes down what serves oneself                         counter.service                         PEERS 4.2

What a request in another's name may do is read in `auth.acting`.
"""
