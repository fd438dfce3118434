"""Reads of sessions and of the sign-in history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.sessions.models import CitizenSession, LoginEvent
from core import clock
from core.actors import Citizen
from core.web.paging import Page, by_id


@dataclass(frozen=True, slots=True)
class Device:
    """A signed-in device as its owner sees it."""

    id: UUID
    channel: str
    device: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


def sessions(session: Session, actor: Citizen) -> Sequence[Device]:
    """The person's open sessions, the newest first."""
    rows = session.scalars(
        select(CitizenSession)
        .where(
            CitizenSession.subject_id == actor.subject_id,
            CitizenSession.ended_at.is_(None),
            CitizenSession.expires_at > clock.wall(),
        )
        .order_by(CitizenSession.id.desc())
    )
    return [
        Device(
            row.id,
            row.channel,
            row.device,
            row.created_at,
            row.last_seen_at,
            row.expires_at,
            row.id == actor.session_id,
        )
        for row in rows
    ]


def sign_ins(session: Session, subject_id: UUID, args: Mapping[str, Any]) -> Page[LoginEvent]:
    """The person's sign-in history, a page at a time, the newest first."""
    query = select(LoginEvent).where(LoginEvent.subject_id == subject_id)
    return by_id(session, query, LoginEvent.id, args)
