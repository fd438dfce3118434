"""The person's own uploads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.files.models import StoredFile


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """What was uploaded; each file can be opened at /api/v1/files."""
    rows = session.scalars(
        select(StoredFile)
        .where(StoredFile.owner_id == subject_id, StoredFile.deleted_at.is_(None))
        .order_by(StoredFile.id)
    )
    return {
        "files": [
            {
                "id": row.id,
                "name": row.original_name,
                "type": row.media_type,
                "bytes": row.size,
                "uploaded_at": row.created_at,
            }
            for row in rows
        ]
    }
