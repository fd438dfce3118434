"""What happens to uploads later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, or_, select, update

from casework.files.models import StoredFile, StoredFileUse
from casework.files.ports import FileStore
from casework.files.service import storage_key
from core import clock, jobs, ports, retention
from core.db import transaction

_BATCH = 200


@jobs.every("40 19 * * *", "files.purge_unused")
def purge_unused() -> None:
    """Forget uploads that belong to no matter after 30 days [D] (P-6), at 03:40 in Shanghai.

    Each batch is marked first, so that nobody can attach a file whose bytes are going; a run that died is finished by
    the next one.
    """
    with transaction() as session:
        before = retention.cutoff(session, "unused_uploads", clock.now())
    total = 0
    while gone := _purge_batch(before):
        total += gone
    retention.note("unused_uploads", total, before)


def _purge_batch(before: datetime) -> int:
    with transaction() as session:
        unused = ~exists().where(StoredFileUse.file_id == StoredFile.id)
        due = or_(StoredFile.deleted_at.is_not(None), StoredFile.created_at < before)
        query = select(StoredFile.id).where(due, unused).order_by(StoredFile.id).limit(_BATCH)
        victims = list(session.scalars(query.with_for_update(skip_locked=True)))
        session.execute(update(StoredFile).where(StoredFile.id.in_(victims)).values(deleted_at=clock.now()))
    for file_id in victims:
        ports.get(FileStore).delete(storage_key(file_id))
    with transaction() as session:
        session.execute(delete(StoredFile).where(StoredFile.id.in_(victims)))
    return len(victims)
