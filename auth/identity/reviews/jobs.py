"""Asking the source again (ID-5)."""

from __future__ import annotations

from uuid import UUID

from auth.identity.reviews import service
from core import jobs
from core.db import transaction


@jobs.task(service.JOB, queue="partners")
def ask_again(review_id: str) -> None:
    """Ask the source of one review again; while it is away the job is tried again by itself."""
    with transaction() as session:
        question = service.begin(session, review_id=UUID(review_id))
    if question is None:
        return
    check = service.ask(question)
    with transaction() as session:
        service.record(session, question=question, check=check)


@jobs.every("11 * * * *", "identity.ask_overdue")
def ask_overdue() -> None:
    """Queue reviews again whose jobs gave up while the source was away."""
    with transaction() as session:
        service.defer_overdue(session)
