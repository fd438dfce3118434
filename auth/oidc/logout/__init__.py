"""Signing out everywhere (RP-initiated and back-channel logout; ID-7: "logout is broadcast").

a site sends the person to sign out            service.begin: done at once with a good id_token_hint, else the person is asked
the person says yes on `/oidc/sign-out/<id>`   queries.view, service.confirm
all clients of an ended session are told       service.on_session_ended, jobs.tell
"""
