"""Reads of sessions and of the sign-in history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, select, true
from sqlalchemy.orm import Session, aliased

from auth.accounts import queries as accounts
from auth.accounts.rules import SubjectState
from auth.identity import queries as identity
from auth.sessions.devices import queries as devices
from auth.sessions.models import CitizenSession, LoginEvent, RefreshToken
from auth.sessions.rules import LoginResult
from core import clock
from core.actors import Channel, Citizen
from core.statements import Row, Statement
from core.web.paging import Page, by_id

_LEVEL_OF_A_PERSON = 2


@dataclass(frozen=True, slots=True)
class Device:
    """A signed-in device as its owner sees it."""

    id: UUID
    channel: str
    device: str | None
    address: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class Live:
    """An open session of somebody who isn't frozen, at the level the evidence gives now; `restricted` as in ID-4."""

    session_id: UUID
    subject_id: UUID
    channel: Channel
    level: int
    restricted: bool
    expires_at: datetime

    @property
    def actor(self) -> Citizen:
        """Its person, as services take it."""
        return Citizen(self.subject_id, self.session_id, self.level, self.channel)


@dataclass(frozen=True, slots=True)
class Shown:
    """A refresh token that somebody shows, and what became of it."""

    id: UUID
    used_at: datetime | None
    successor_id: UUID | None
    successor_used_at: datetime | None


_DIGEST: BindParameter[bytes] = bindparam("digest")
_FAMILY = (
    select(CitizenSession)
    .join(RefreshToken, RefreshToken.session_id == CitizenSession.id)
    .where(RefreshToken.token_hash == _DIGEST)
    .with_for_update(of=CitizenSession)
    .execution_options(populate_existing=True)
)
_LATER = aliased(RefreshToken)
_SHOWN = Statement(
    select(RefreshToken.id, RefreshToken.used_at, RefreshToken.successor_id, _LATER.used_at)
    .outerjoin(_LATER, _LATER.id == RefreshToken.successor_id)
    .where(RefreshToken.token_hash == _DIGEST)
)
_USED_DEVICES = Statement(
    select(LoginEvent.device, LoginEvent.channel)
    .where(LoginEvent.subject_id == bindparam("subject_id"), LoginEvent.result == LoginResult.OK)
    .where(LoginEvent.at > bindparam("since"))
    .distinct()
)


def family(session: Session, digest: bytes) -> CitizenSession | None:
    """The session of the refresh token with this digest, locked; None for a token that never was."""
    return session.scalar(_FAMILY, {"digest": digest})


def shown(session: Session, digest: bytes) -> Shown:
    """The refresh token with this digest, which there is. Read under the lock of its `family`, so it is as of now."""
    ((token_id, used_at, successor_id, successor_used_at),) = _SHOWN.rows(session, digest=digest)
    return Shown(token_id, used_at, successor_id, successor_used_at)


def used_devices(session: Session, subject_id: UUID, since: datetime) -> list[Row]:
    """Device and channel of each kind of sign-in of a person since then, each once."""
    return _USED_DEVICES.rows(session, subject_id=subject_id, since=since)


def live(session: Session, session_id: UUID) -> Live | None:
    """The session `session_id` as it stands in the database now, or None when it is over or its person is frozen."""
    row = session.get(CitizenSession, session_id, populate_existing=True)
    if row is None or row.ended_at is not None or row.expires_at <= clock.wall():
        return None
    if accounts.standing(session, row.subject_id).state is not SubjectState.ACTIVE:
        return None
    level = identity.level(session, row.subject_id, clock.now(), since=row.proofs_since, channel=row.channel)
    restricted = row.proofs_since is not None
    return Live(row.id, row.subject_id, cast(Channel, row.channel), level, restricted, row.expires_at)


def own_since(session: Session, actor: Citizen) -> datetime | None:
    """Since when what happened in the account is the actor's to see; None: all of it.

    A phone alone opens a restricted session to a proven person, and may be in other hands by now: until the identity is
    proven again, it sees and ends nothing but itself (ID-4).
    """
    if actor.level >= _LEVEL_OF_A_PERSON:
        return None
    row = session.get(CitizenSession, actor.session_id)
    return row.created_at if row is not None and row.proofs_since is not None else None


def sessions(session: Session, actor: Citizen) -> Sequence[Device]:
    """The person's open sessions, the newest first; of a restricted one only itself."""
    restricted = own_since(session, actor) is not None
    rows = session.scalars(
        select(CitizenSession)
        .where(
            CitizenSession.id == actor.session_id if restricted else true(),
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
            row.address,
            row.created_at,
            row.last_seen_at,
            row.expires_at,
            row.id == actor.session_id,
        )
        for row in rows
    ]


def known_since(session: Session, session_id: UUID) -> datetime | None:
    """When a session was signed in; None for one we don't know."""
    return session.scalar(select(CitizenSession.created_at).where(CitizenSession.id == session_id))


def sign_ins(session: Session, actor: Citizen, args: Mapping[str, Any]) -> Page[LoginEvent]:
    """The person's sign-in history, a page at a time, the newest first; in a restricted session what came after it."""
    query = select(LoginEvent).where(LoginEvent.subject_id == actor.subject_id)
    since = own_since(session, actor)
    if since is not None:
        query = query.where(LoginEvent.at >= since)
    return by_id(session, query, LoginEvent.id, args)


def rebinding_frozen_until(session: Session, subject_id: UUID, now: datetime) -> datetime | None:
    """Until when this person can bind no other phone or WeChat account, having disowned a sign-in; None when they can."""
    return devices.rebinding_frozen_until(session, subject_id, now)
