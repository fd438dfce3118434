"""Forgetting what is over."""

from __future__ import annotations

from auth.sessions import service
from core import jobs
from core.db import transaction


@jobs.every("23 19 * * *", "sessions.prune")
def prune() -> None:
    """Delete sessions long over and sign-in history past its time, a batch a transaction (03:23 in Shanghai)."""
    more = True
    while more:
        with transaction() as session:
            more = service.prune(session) > 0
