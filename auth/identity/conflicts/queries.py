"""Reads of conflicts for the clerks who decide them; names and numbers masked (P-7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.identity.conflicts.models import IdentityConflict
from auth.identity.conflicts.rules import ConflictState
from core.identifiers import DocumentType
from core.masking import mask_document, mask_name
from core.web.paging import Page, by_id


@dataclass(frozen=True, slots=True)
class Open:
    """A conflict that waits for a clerk."""

    id: UUID
    opened_at: datetime
    name: str
    document_label: str
    document_number: str


def open_conflicts(session: Session, args: Mapping[str, Any]) -> Page[Open]:
    """The open conflicts, the oldest first, a page at a time."""
    query = select(IdentityConflict).where(IdentityConflict.state == ConflictState.OPEN)
    page = by_id(session, query, IdentityConflict.id, args, newest_first=False)
    shown = [
        Open(
            row.id,
            row.opened_at,
            mask_name(row.name or ""),
            DocumentType(row.document_type).label,
            mask_document(row.document_number or ""),
        )
        for row in page.items
    ]
    return Page(shown, page.next_cursor)
