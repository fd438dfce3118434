"""The population source that says whether a name and a document number belong together, and tells of deaths and the like.

adapter.py  the ports IdentityAuthority and IdentitySignals of auth.identity; the wire contract is in sandbox/README.md
"""
