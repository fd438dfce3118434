"""Reads of emergency look-ups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from casework.persons.emergencies.models import EmergencyLookUp
from casework.persons.emergencies.rules import Verdict
from core.web.paging import Page, by_id

_IS: dict[Verdict, ColumnElement[bool]] = {
    Verdict.OPEN: EmergencyLookUp.justified.is_(None),
    Verdict.JUSTIFIED: EmergencyLookUp.justified.is_(True),
    Verdict.UNJUSTIFIED: EmergencyLookUp.justified.is_(False),
}


def looks(session: Session, args: Mapping[str, Any]) -> Page[EmergencyLookUp]:
    """Those with this verdict: the ones that wait for a review the oldest first, the others the newest first."""
    wanted = args["verdict"]
    query = select(EmergencyLookUp).where(_IS[wanted])
    return by_id(session, query, EmergencyLookUp.id, args, newest_first=wanted is not Verdict.OPEN)


def overdue(session: Session, now: datetime, *, lock: bool = False) -> list[EmergencyLookUp]:
    """Those that nobody reviewed in time; a reviewer who is at one just now is not waited for."""
    query = select(EmergencyLookUp).where(_IS[Verdict.OPEN], EmergencyLookUp.due_at <= now)
    query = query.order_by(EmergencyLookUp.id)
    return list(session.scalars(query.with_for_update(skip_locked=True) if lock else query))


def count_open(session: Session, now: datetime) -> tuple[int, int]:
    """How many wait for a review, and how many of them are late."""
    late = func.count().filter(EmergencyLookUp.due_at <= now)
    row = session.execute(select(func.count(), late).where(_IS[Verdict.OPEN])).one()
    return row[0], row[1]


def by_ids(session: Session, ids: Collection[UUID]) -> dict[UUID, EmergencyLookUp]:
    """Look-ups by their ids."""
    rows = session.scalars(select(EmergencyLookUp).where(EmergencyLookUp.id.in_(ids)))
    return {row.id: row for row in rows}


def untold(session: Session, subject_id: UUID) -> list[UUID]:
    """The look-ups of this person that the person wasn't told of yet."""
    query = select(EmergencyLookUp.id).where(
        EmergencyLookUp.subject_id == subject_id, EmergencyLookUp.told_at.is_(None)
    )
    return list(session.scalars(query))
