"""Reads of freezes, for the people who may lift them. They see no name and no document: those are for the counter (P-5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts.models import SubjectFreeze
from core.web.paging import Page, by_id


def standing_freezes(session: Session, args: Mapping[str, Any]) -> Page[SubjectFreeze]:
    """The freezes that stand, the newest first, a page at a time."""
    return by_id(session, select(SubjectFreeze).where(SubjectFreeze.lifted_at.is_(None)), SubjectFreeze.id, args)
