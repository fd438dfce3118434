"""What the product does for itself on a schedule: chain the audit log, forget idempotency keys."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from core import audit, clock, jobs
from core.db import transaction
from core.web.idempotency import IdempotencyKey

KEEP_IDEMPOTENCY_KEYS = timedelta(hours=24)


@jobs.every("* * * * *", "maintenance.seal_audit")
def seal_audit() -> None:
    """Chain the audit rows of the last minute."""
    more = True
    while more:
        with transaction() as session:
            more = audit.seal(session) == audit.BATCH


@jobs.every("41 * * * *", "maintenance.prune_idempotency_keys")
def prune_idempotency_keys() -> None:
    """Forget the answers of requests older than 24 h."""
    with transaction() as session:
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.wall() - KEEP_IDEMPOTENCY_KEYS))
