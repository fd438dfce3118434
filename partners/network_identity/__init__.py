"""The national network identity service (网证).

adapter.py  the port auth.identity.ports.NetworkIdentity; the wire contract is in sandbox/README.md
"""
