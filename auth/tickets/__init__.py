"""The ticket bridge: single sign-on for systems that can't speak OpenID Connect (ID-7, ID-8, S40).

one use, 60 s, for one client in one session    models.SsoTicket, service.issue, service.exchange
only to addresses on the client's list          rules.allows
only the fields it may see, with consent        service.issue, auth.oidc.consents
the level is sent along, never a higher one     service.exchange
shown twice, it kills what came of it           service.exchange
signing out reaches the client                  auth.oidc.grants (sign-on), auth.oidc.logout (back-channel)
"""
