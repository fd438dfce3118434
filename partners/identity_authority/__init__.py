"""The population source that says whether a name and a document number belong together.

adapter.py  the port auth.identity.ports.IdentityAuthority; the wire contract is in sandbox/README.md
"""
