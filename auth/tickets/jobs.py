"""Forgetting tickets that are over."""

from __future__ import annotations

from auth.tickets import service
from core import clock, jobs
from core.db import transaction


@jobs.every("37 * * * *", "tickets.prune")
def prune() -> None:
    """A batch a transaction, until nothing is left."""
    more = True
    while more:
        with transaction() as session:
            more = service.prune(session, clock.wall()) > 0
