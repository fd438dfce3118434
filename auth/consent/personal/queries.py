"""The person's own consents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from auth.consent import queries


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every consent, with the version of its text, and whether somebody else gave it."""
    return {
        "consents": [
            {
                "kind": row.kind,
                "text_version": row.text_version,
                "channel": row.channel,
                "given_at": row.given_at,
                "given_by_guardian": row.given_by != row.subject_id,
                "withdrawn_at": row.withdrawn_at,
            }
            for row in queries.history(session, subject_id)
        ]
    }
