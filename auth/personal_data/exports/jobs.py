"""Gathering copies, and forgetting them."""

from __future__ import annotations

from uuid import UUID

from auth.personal_data.exports import service
from core import clock, jobs, retention
from core.db import transaction


@jobs.task(service.BUILD, queue="bulk")
def build_export(export_id: str) -> None:
    """Gather one person's copy."""
    with transaction() as session:
        service.build(session, UUID(export_id))


@jobs.every("*/30 * * * *", "personal_data.forget_exports")
def forget_exports() -> None:
    """Copies are kept for a day."""
    retention.run("data_exports", lambda session, _before: service.forget_old(session, clock.now()))
