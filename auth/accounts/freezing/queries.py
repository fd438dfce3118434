"""Reads of freezes, for the people who may lift them. They see no name and no document: those are for the counter (P-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.accounts.models import SubjectFreeze
from auth.accounts.rules import FreezeReason
from core.web.paging import Page, by_id


@dataclass(frozen=True, slots=True)
class Freeze:
    """Why a subject is frozen now."""

    id: UUID
    reason: FreezeReason


def standing_freeze(session: Session, subject_id: UUID) -> Freeze | None:
    """The freeze under which a subject is now, None for one that may go on."""
    row = session.execute(
        select(SubjectFreeze.id, SubjectFreeze.reason).where(
            SubjectFreeze.subject_id == subject_id, SubjectFreeze.lifted_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else Freeze(row.id, FreezeReason(row.reason))


def standing_freezes(session: Session, args: Mapping[str, Any]) -> Page[SubjectFreeze]:
    """The freezes that stand, the newest first, a page at a time."""
    return by_id(session, select(SubjectFreeze).where(SubjectFreeze.lifted_at.is_(None)), SubjectFreeze.id, args)


def count_proposed(session: Session) -> int:
    """How many freezes one administrator wants to lift and nobody has agreed to yet."""
    query = select(func.count()).where(SubjectFreeze.lifted_at.is_(None), SubjectFreeze.lift_proposed_by.is_not(None))
    return session.scalar(query) or 0
