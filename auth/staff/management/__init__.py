"""Members of staff as administrators see them (2.7, 3.16).

the system administrator makes and closes accounts, and gives no roles      service.open_account, service.close
the security administrator gives and takes roles, and makes no accounts     service.give_roles
a lost authenticator: one asks, another agrees, neither is the member       service.ask_authenticator, agree_authenticator
nobody's own account; two of the three administrators never in one hand     service, and CHECKs of the tables
"""
