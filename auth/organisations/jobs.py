"""Asking the market registry again at night, before anybody meets an old word (ID-11)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from auth.organisations import queries, rules, service
from core import clock, jobs
from core.db import transaction


@jobs.every("41 18 * * *", "organisations.ask_all_again")
def ask_all_again() -> None:
    """Queue a question for each organisation whose confirmation is old (02:41 in Shanghai)."""
    before = clock.now() - rules.POLICY.ask_again_after
    with transaction() as session:
        for organisation_id in queries.to_check(session, before):
            jobs.defer(
                session,
                "organisations.ask_again",
                once=f"registry:{organisation_id}",
                organisation_id=str(organisation_id),
            )


@jobs.task("organisations.ask_again", queue="partners")
def ask_again(organisation_id: str) -> None:
    """Ask about one organisation; again changes nothing. Without an answer it is asked when a role is used, or next night."""
    with transaction() as session:
        checked_at: datetime = queries.organisation(session, UUID(organisation_id)).checked_at
    service.ask_again(UUID(organisation_id), checked_at)
