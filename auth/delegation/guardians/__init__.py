"""Minors and their guardians (DG-5).

the link comes from household or birth data, else from paper   service.ask, service.link; counter.service.enter
below 8 nobody acts alone; 8 to 17 with a guardian's agreement rules.own_act, service.require_own, service.agree
both parents can act, each by a link of one's own              unique per child and guardian
a dispute closes the link until a counter settles it           counter.service.dispute, settle
at 18 the link ends by itself at midnight in Shanghai          delegation.rules.standing
a newborn has a birth certificate and no number yet            born_on comes from the registry
"""
