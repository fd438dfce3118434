"""Reads about closing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from auth.personal_data.closing.models import AccountClosing
from auth.personal_data.closing.rules import POLICY, State
from auth.personal_data.ports import OpenMatter, Sources
from core import ports

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Prospect:
    """What stands in the way of closing, how long the time to think is, and until when it runs if it does."""

    open_matters: Sequence[OpenMatter]
    cooling_days: int
    asked_at: datetime | None
    effective_at: datetime | None


def open_matters(session: Session, subject_id: UUID) -> Sequence[OpenMatter]:
    """Everything that keeps the account open, from every feature."""
    found: list[OpenMatter] = []
    for source in ports.get(Sources).all:
        if source.open_matters is not None:
            found += source.open_matters(session, subject_id)
    return found


def prospect(session: Session, subject_id: UUID) -> Prospect:
    """What the person sees before deciding."""
    running = session.scalar(cooling(subject_id))
    return Prospect(
        open_matters(session, subject_id),
        POLICY.cooling.days,
        running.asked_at if running else None,
        running.effective_at if running else None,
    )


def cooling(subject_id: UUID) -> Select[AccountClosing]:
    """The closing that runs, as a query."""
    return select(AccountClosing).where(AccountClosing.subject_id == subject_id, AccountClosing.state == State.COOLING)


def due(session: Session, now: datetime) -> Sequence[UUID]:
    """A batch of closings whose time to think is over."""
    return session.scalars(
        select(AccountClosing.id)
        .where(AccountClosing.state == State.COOLING, AccountClosing.effective_at <= now)
        .order_by(AccountClosing.effective_at)
        .limit(_BATCH)
    ).all()
