"""In whose name a request is made: `X-Act-For` becomes `Citizen.on_behalf_of` and what it allows (DG-1, DG-2).

read at every request that acts for another, in one statement     service.resolve                         DG-1
revoked, run out, frozen, of age: from the next request on         delegation.rules.standing               DG-1, DG-5, ID-12
the registry is asked again before an old role is used             organisations.service.ask_again         ID-11
items nobody else may do, and those out of scope                   service.require, delegation.rules.may   DG-3, DG-6
a clerk doesn't act for others at the own hall                     service.require                         PEERS 4.2
a child's data need the guardian's consent                         service.require                         DG-5, P-1
a minor doesn't act alone                                          service.require                         DG-5
who is told: the principal first, then who acts while allowed      service.receivers                       DG-2
"""
