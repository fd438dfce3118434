"""Reads of uploaded files: always by owner, or by the matter they belong to."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.files.models import StoredFile
from core.errors import NotFound


def owned(session: Session, owner_id: UUID, file_ids: Collection[UUID]) -> list[StoredFile]:
    """The owner's files in the order asked for. Raises `NotFound` if one is missing, purged or somebody else's."""
    found = {
        stored.id: stored
        for stored in session.scalars(
            select(StoredFile).where(
                StoredFile.id.in_(file_ids), StoredFile.owner_id == owner_id, StoredFile.deleted_at.is_(None)
            )
        )
    }
    if any(file_id not in found for file_id in file_ids):
        raise NotFound()
    return [found[file_id] for file_id in file_ids]


def by_ids(session: Session, file_ids: Collection[UUID]) -> dict[UUID, StoredFile]:
    """Files by id, whoever owns them: for a feature that has checked the matter they belong to."""
    rows = session.scalars(select(StoredFile).where(StoredFile.id.in_(file_ids), StoredFile.deleted_at.is_(None)))
    return {stored.id: stored for stored in rows}
