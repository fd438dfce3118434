"""Forgetting checks that are over."""

from __future__ import annotations

from auth.identity.network import service
from core import jobs
from core.db import transaction


@jobs.every("47 19 * * *", "identity.forget_network_checks")
def forget() -> None:
    """Delete checks older than a day, a batch a transaction (03:47 in Shanghai)."""
    more = True
    while more:
        with transaction() as session:
            more = service.forget(session) > 0
