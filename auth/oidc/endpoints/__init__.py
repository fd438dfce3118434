"""Token, revocation, introspection and UserInfo endpoint, on Authlib's framework-neutral authorization server.

client authentication, one way at a time    service._Server.authenticate_client; private_key_jwt: auth.oidc.assertions
PKCE S256 for every client                  interactions.rules.parse (the challenge), Authlib's CodeChallenge (the verifier)
ID token                                    service.id_token
what a token is good for, to its client     service.Introspection, service.Revocation
where everything is (discovery)             rules.metadata
"""
