"""Evidence of who a person is, and the assurance level it adds up to (DOMAIN 3.7).

level computed from evidence, never stored      rules.level                                             ID-1
how long each kind of evidence counts           rules.Policy, rules.expiry                              ID-2
a factor that joined a proven person            rules.level(since=…)                                    ID-4
`review` is its own state                       service.record_answer, IdentityEvidence.look_again_at   ID-5
the ways to a level, by channel                 rules.step_up_ways                                      ID-6, RFC 9470
other documents than the resident ID card       core.identifiers, rules.ONLINE_DOCUMENTS                ID-10
death and cancellation                          service.record_answer → accounts.freeze                 ID-12

Level 4 is no property of a person: it is a fresh proof bound to one act, asked for by that act.
"""
