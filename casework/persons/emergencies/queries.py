"""Reads of emergency look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.persons.emergencies.models import EmergencyLookUp
from core.web.paging import Page, by_id


def unreviewed(session: Session, args: Mapping[str, Any]) -> Page[EmergencyLookUp]:
    """Those that wait for a review, the oldest first."""
    query = select(EmergencyLookUp).where(EmergencyLookUp.reviewed_at.is_(None))
    return by_id(session, query, EmergencyLookUp.id, args, newest_first=False)
