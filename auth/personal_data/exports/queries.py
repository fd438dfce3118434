"""Reads of exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.personal_data.exports.models import DataExport
from core.web.paging import Page, by_id


def page(session: Session, subject_id: UUID, args: Mapping[str, Any]) -> Page[DataExport]:
    """The person's exports, a page at a time, the newest first; without their content."""
    return by_id(session, select(DataExport).where(DataExport.subject_id == subject_id), DataExport.id, args)
