"""The person's own inbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.messages.models import Message


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every message as it was written."""
    rows = session.scalars(select(Message).where(Message.receiver_id == subject_id).order_by(Message.id))
    return {
        "messages": [
            {"at": row.created_at, "title": row.title, "text": row.body, "read_at": row.read_at} for row in rows
        ]
    }
