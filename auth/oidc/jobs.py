"""Forgetting what is over."""

from __future__ import annotations

from auth.oidc.assertions import service as assertions
from auth.oidc.browser import service as browsers
from auth.oidc.grants import service as grants
from auth.oidc.interactions import service as interactions
from auth.oidc.keys import service as keys
from auth.oidc.logout import service as logout
from core import clock, jobs
from core.db import transaction


@jobs.every("7 * * * *", "oidc.prune")
def prune() -> None:
    """Delete authorization requests, browsers, tokens and assertions whose time is over, a batch a transaction."""
    now = clock.wall()
    with transaction() as session:
        keys.prune(session)
    for feature in (interactions, logout, browsers, grants, assertions):
        more = True
        while more:
            with transaction() as session:
                more = feature.prune(session, now=now) > 0
