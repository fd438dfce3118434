"""Evidence of who a person is, and the assurance level it adds up to (DOMAIN 3.7).

level computed from evidence, never stored      rules.level                                             ID-1
what evidence is worth and how long, by day     policies/ (policies.json), rules.expiry                 ID-2
rows of evidence                                evidence/
whose a proven document is                      persons/                                                ID-3, ID-4
a factor that joined a proven person            rules.level(since=…)                                    ID-4
`review` is its own state, asked about again    reviews/                                                ID-5
the ways to a level, by channel and document    ways/                                                   ID-6, ID-10, RFC 9470
the network ID (网证), one's own Alipay         network/, alipay/
death, loss of capacity, cancellation, fraud    signals/, persons.service.freeze                        ID-12
cool-down after a change of phone               rules.cooling_down_until, queries.cooling_down_until    ID-13
two people, one number                          conflicts/                                              PEERS 4.2

Level 4 is no property of a person: it is a fresh proof bound to one act (`rules.Purpose`), used up in that act's own
transaction: `service.spend_fresh_proof`.
"""
