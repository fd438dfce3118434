"""Closing accounts whose time to think is over."""

from __future__ import annotations

from auth.personal_data.closing import queries, service
from core import clock, jobs
from core.db import transaction


@jobs.every("15 * * * *", "personal_data.close_accounts")
def close_accounts() -> None:
    """One account a transaction; one that fails is tried again next hour and keeps no other."""
    with transaction() as session:
        found = queries.due(session, clock.now())
    for closing_id in found:
        with transaction() as session:
            service.carry_out(session, closing_id)
