"""The person's own evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.identity.models import IdentityEvidence


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """What was proven, when, by whom it was checked, and until when it counts."""
    rows = session.scalars(
        select(IdentityEvidence).where(IdentityEvidence.subject_id == subject_id).order_by(IdentityEvidence.id)
    )
    return {
        "evidence": [
            {
                "type": row.type,
                "checked_by": row.provider,
                "result": row.result,
                "at": row.at,
                "expires_at": row.expires_at,
                "revoked_at": row.revoked_at,
            }
            for row in rows
        ]
    }
