"""Forgetting. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy import exists, update
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from casework.files.models import StoredFile, StoredFileUse
from core import clock


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """Uploads that belong to no matter are gone; the purge removes their bytes (P-6). Runs after their matters let go."""
    used = exists().where(StoredFileUse.file_id == StoredFile.id)
    session.execute(
        update(StoredFile)
        .where(StoredFile.owner_id == event.subject_id, StoredFile.deleted_at.is_(None), ~used)
        .values(deleted_at=clock.now())
    )
