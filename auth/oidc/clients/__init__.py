"""Departments' sites and apps that may sign people in (ID-7, S3): deny by default.

addresses are compared exactly                rules.check_address, queries.Client
a client may ask only its scopes and levels   queries.Client.scopes, .max_level
secrets are shown once, kept as keyed hash    service.register, service.rotate_secret, queries.Client.knows_secret
"""
