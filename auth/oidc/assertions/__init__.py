"""Clients that prove who they are with a signed assertion (private_key_jwt, RFC 7523): good once, for minutes.

signature by a registered key, RS256, PS256 or ES256   service.Assertion.process_assertion_claims
`jti` used before                                      service.Assertion.validate_jti (unique index)
"""
