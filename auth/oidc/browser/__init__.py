"""A browser that is signed in once for all departments (SSO).

opaque cookie, kept as hash, new at each sign-in    service.open_browser, service.sign_in
one citizen session behind it; idle and absolute end rules.LIFETIMES, service.known
signing out leaves nothing on a shared device        service.sign_out
"""
