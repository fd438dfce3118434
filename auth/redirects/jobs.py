"""Forgetting trips that are over."""

from __future__ import annotations

from auth.redirects import service
from core import jobs
from core.db import transaction


@jobs.every("41 * * * *", "redirects.prune")
def prune() -> None:
    """Delete trips that ended a day ago, a batch a transaction."""
    more = True
    while more:
        with transaction() as session:
            more = service.prune(session) > 0
