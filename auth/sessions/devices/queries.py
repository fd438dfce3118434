"""Reads of disowned sign-ins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.sessions.devices.models import SignInReport
from core.web.paging import Page, by_id


def rebinding_frozen_until(session: Session, subject_id: UUID, now: datetime) -> datetime | None:
    """Until when this person can bind no other phone or WeChat account; None when they can (`devices.service.disown`)."""
    until = session.scalar(
        select(func.max(SignInReport.rebinding_frozen_until)).where(SignInReport.subject_id == subject_id)
    )
    return until if until is not None and until > now else None


def reports(session: Session, args: Mapping[str, Any]) -> Page[SignInReport]:
    """Disowned sign-ins, a page at a time, the newest first; with `args["open"]` those nobody has looked into."""
    query = select(SignInReport)
    if args["open"]:
        query = query.where(SignInReport.closed_at.is_(None))
    return by_id(session, query, SignInReport.id, args)


def count_open(session: Session) -> int:
    """How many disowned sign-ins nobody has looked into."""
    return session.scalar(select(func.count()).where(SignInReport.closed_at.is_(None))) or 0
