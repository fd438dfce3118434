"""The keys that sign ID tokens and logout tokens.

published before use, kept until all is over   rules.may_activate, rules.leaves_at, service.rotate
the first key, made once                       service.signing_key (an advisory lock)
kid is the thumbprint (RFC 7638)               service.signing_key, service.rotate
"""
