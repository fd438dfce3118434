"""Working on files that were sent, one at a time; forgetting old ones."""

from __future__ import annotations

from uuid import UUID

import procrastinate

from casework.catalogue import service as catalogue
from casework.catalogue.importing.uploads import service
from core import clock, jobs
from core.db import transaction

_IN_TURN = procrastinate.RetryStrategy(max_attempts=60, wait=30)
"""While another import is at work a file waits, half an hour at most."""


@jobs.task("catalogue.draft_upload", queue="bulk", retry=_IN_TURN)
def draft_upload(import_id: str) -> None:
    """Draft what a file says."""
    service.work_on(UUID(import_id), catalogue.sample_beside())


@jobs.every("10 19 * * *", "catalogue.forget_uploads")
def forget_uploads() -> None:
    """Forget old files (03:10 in Shanghai)."""
    with transaction() as session:
        service.forget(session, clock.now())
