"""The OpenID Connect provider: departments' sites and apps sign people in here (ID-7).

clients        who may ask, and for what: registry, secrets, keys
keys           the keys that sign ID tokens and logout tokens, and their rotation
browser        a browser that is signed in once for all departments (`__Host-sso`)
arrivals       an authorization request as it comes in: refused, answered, or sent on to the pages
interactions   an authorization request that waits for the person: sign in, step up, consent, finish
consents       which client may see which fields of a person
grants         what came of it: codes, access and refresh tokens, pairwise subjects, UserInfo
endpoints      token, revocation and introspection endpoint: Authlib's server on top of `grants`
assertions     clients that prove who they are by a signed assertion
logout         sign-out from a department's site, and telling all others

HTTP is in `gateway/oidc/protocol.py` and, for the pages that a person sees, in `gateway/oidc/pages/`.
All times are true times (`clock.wall`), as those of sessions and tokens are; levels are judged by the business clock.
"""
