"""Opening, refreshing and ending sessions. The session is given; nothing here commits.

What must be recorded although it is refused (a reused token) is returned as None, not raised: a raise would undo it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from auth.accounts.events import AccountChange, AccountChanged, SubjectsMerged
from auth.accounts.rules import SubjectState
from auth.identity import queries as identity
from auth.sessions import authenticator, queries, rules
from auth.sessions.devices.rules import POLICY as DEVICES
from auth.sessions.devices.rules import device_words
from auth.sessions.events import NewDeviceSignedIn, SessionEnded
from auth.sessions.models import CitizenSession, LoginEvent, RefreshToken
from auth.sessions.rules import EndReason, LoginResult, Method, Origin, Verdict
from core import audit, clock, events, ids
from core.actors import Channel, Citizen
from core.errors import NotAuthenticated, NotFound
from core.statements import Statement

_DEVICE_LONGEST = 200
_BATCH = 1_000


_GIVE = Statement(insert(cast(Table, RefreshToken.__table__)), columns=("id", "session_id", "token_hash", "created_at"))
_USED_UP = Statement(
    update(cast(Table, RefreshToken.__table__))
    .where(or_(RefreshToken.id == bindparam("shown"), RefreshToken.id == bindparam("lost")))
    .values(used_at=func.coalesce(RefreshToken.used_at, bindparam("now")), successor_id=bindparam("successor"))
)
_NOTE = Statement(
    insert(cast(Table, LoginEvent.__table__)),
    columns=("id", "subject_id", "at", "method", "channel", "result", "address", "device"),
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a device gets. Times in seconds; the refresh token is shown this once and stored only as a hash."""

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str = field(repr=False)
    refresh_expires_in: int
    session_id: UUID
    level: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new access token for a session whose level changed."""

    access_token: str = field(repr=False)
    expires_in: int
    level: int


@dataclass(frozen=True, slots=True)
class Open:
    """An open session, locked: who, by what it was signed in, and since when proofs count (None: all do)."""

    id: UUID
    subject_id: UUID
    phone_binding_id: UUID | None
    wechat_binding_id: UUID | None
    alipay_binding_id: UUID | None
    proofs_since: datetime | None


def open_session(
    session: Session,
    *,
    subject_id: UUID,
    origin: Origin,
    method: Method,
    phone_binding_id: UUID | None = None,
    wechat_binding_id: UUID | None = None,
    alipay_binding_id: UUID | None = None,
    proofs_since: datetime | None = None,
) -> Tokens:
    """Sign a device in to `subject_id`. With `proofs_since` the session is restricted (ID-4)."""
    now = clock.wall()
    opened = CitizenSession(
        subject_id=subject_id,
        channel=origin.channel,
        phone_binding_id=phone_binding_id,
        wechat_binding_id=wechat_binding_id,
        alipay_binding_id=alipay_binding_id,
        proofs_since=proofs_since,
        created_at=now,
        last_seen_at=now,
        expires_at=rules.session_end(origin.channel, now),
        address=origin.address,
        device=_shortened(origin.device),
    )
    session.add(opened)
    session.flush()
    _greet(session, opened, origin)
    note(session, subject_id=subject_id, origin=origin, method=method, result=LoginResult.OK)
    tokens, _ = _tokens(session, opened, now)
    return tokens


def _greet(session: Session, opened: CitizenSession, origin: Origin) -> None:
    """Announce a device that the person hasn't used lately; nobody's first one is news."""
    used = queries.used_devices(session, opened.subject_id, opened.created_at - DEVICES.known_for)
    words = device_words(opened.device, origin.channel)
    if used and words not in {device_words(*row) for row in used}:
        events.publish(session, NewDeviceSignedIn(opened.subject_id, opened.id, words))


def refresh(session: Session, *, refresh_token: str, address: str | None, device: str | None) -> Tokens | None:
    """A fresh pair for a refresh token (ID-9); None when it is unknown, over, or reused, which ends its session."""
    now = clock.wall()
    digest = rules.token_digest(refresh_token)
    # The session is the family's one lock: two refreshes of a family never run at the same time.
    owner = queries.family(session, digest)
    if owner is None or owner.ended_at is not None or owner.expires_at <= now:
        return None
    shown = queries.shown(session, digest)
    if accounts.standing(session, owner.subject_id).state is not SubjectState.ACTIVE:
        return None
    unused = shown.successor_id is not None and shown.successor_used_at is None
    if rules.judge_refresh(used_at=shown.used_at, successor_unused=unused, now=now) is Verdict.REUSED:
        origin = Origin(cast(Channel, owner.channel), address, device)
        _end(session, owner, EndReason.TOKEN_REUSED)
        note(
            session,
            subject_id=owner.subject_id,
            origin=origin,
            method=Method.REFRESH,
            result=LoginResult.REUSED,
        )
        change = AccountChanged(owner.subject_id, AccountChange.DEVICE_SIGNED_OUT, ids.uuid7())
        events.publish(session, change)
        return None
    if rules.LIFETIMES[cast(Channel, owner.channel)].sliding:
        owner.expires_at = rules.slid_end(cast(Channel, owner.channel), owner.created_at, now)
    owner.last_seen_at, owner.address = now, address
    tokens, token_id = _tokens(session, owner, now)
    _USED_UP.rows(session, shown=shown.id, lost=shown.successor_id, successor=token_id, now=now)
    return tokens


def reissue(session: Session, session_id: UUID) -> Fresh:
    """An access token of the open session `session_id` at its level of now. Raises `NotAuthenticated`."""
    now = clock.wall()
    row = session.get(CitizenSession, session_id, populate_existing=True)
    if row is None or row.ended_at is not None:
        raise NotAuthenticated()
    token, ends, level = _access(session, row, now)
    return Fresh(token, _seconds(ends, now), level)


def sign_out(session: Session, *, actor: Citizen) -> None:
    """End the actor's own session."""
    _end(session, _owned(session, actor, actor.session_id), EndReason.SIGNED_OUT)


def end_session(session: Session, *, actor: Citizen, session_id: UUID) -> None:
    """End one of the actor's sessions, such as that of a lost phone. Raises `NotFound`."""
    _end(session, _owned(session, actor, session_id), EndReason.ENDED_BY_OWNER)
    audit.record(session, actor=actor, action="session.end", object_type="citizen_session", object_id=session_id)


def end_others(session: Session, *, actor: Citizen) -> int:
    """End all of the actor's sessions but this one; how many. A restricted one ends no other (ID-4)."""
    if queries.own_since(session, actor) is not None:
        return 0
    ended = _end_where(
        session,
        actor.subject_id,
        EndReason.ENDED_BY_OWNER,
        CitizenSession.subject_id == actor.subject_id,
        CitizenSession.id != actor.session_id,
    )
    audit.record(
        session,
        actor=actor,
        action="session.end_others",
        object_type="subject",
        object_id=actor.subject_id,
        ended=ended,
    )
    return ended


def end_all(session: Session, *, subject_id: UUID, reason: EndReason) -> int:
    """End all sessions of a subject; how many."""
    return _end_where(session, subject_id, reason, CitizenSession.subject_id == subject_id)


def end_signed_in_by(
    session: Session,
    *,
    subject_id: UUID,
    phone_binding_id: UUID | None,
    wechat_binding_id: UUID | None,
    alipay_binding_id: UUID | None = None,
) -> None:
    """End the sessions of a subject that were signed in by a phone, WeChat or Alipay account it has lost (ID-4).

    A session signed in by WeChat or Alipay that merely added the phone goes on.
    """
    ways = []
    if phone_binding_id is not None:
        added_only = or_(CitizenSession.wechat_binding_id.is_not(None), CitizenSession.alipay_binding_id.is_not(None))
        ways.append(and_(CitizenSession.phone_binding_id == phone_binding_id, ~added_only))
    if wechat_binding_id is not None:
        ways.append(CitizenSession.wechat_binding_id == wechat_binding_id)
    if alipay_binding_id is not None:
        ways.append(CitizenSession.alipay_binding_id == alipay_binding_id)
    if ways:
        _end_where(session, subject_id, EndReason.FACTOR_LOST, CitizenSession.subject_id == subject_id, or_(*ways))


def _end_where(session: Session, subject_id: UUID, reason: EndReason, *which: ColumnElement[bool]) -> int:
    ended = session.scalars(
        update(CitizenSession)
        .where(CitizenSession.ended_at.is_(None), *which)
        .values(ended_at=clock.wall(), end_reason=reason)
        .returning(CitizenSession.id)
    ).all()
    authenticator.changed(session, subject_id)
    for session_id in ended:
        events.publish(session, SessionEnded(session_id, subject_id))
    return len(ended)


def opened(session: Session, session_id: UUID) -> Open:
    """The open session `session_id`, locked against a second act in it. Raises `NotAuthenticated`."""
    row = session.scalar(
        select(CitizenSession)
        .where(CitizenSession.id == session_id, CitizenSession.ended_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotAuthenticated()
    return Open(
        row.id,
        row.subject_id,
        row.phone_binding_id,
        row.wechat_binding_id,
        row.alipay_binding_id,
        row.proofs_since,
    )


def restrict(session: Session, *, subject_id: UUID, proofs_since: datetime) -> None:
    """The sessions of `subject_id` are about to join a proven person: only proofs from now on count for them (ID-4)."""
    session.execute(
        update(CitizenSession).where(CitizenSession.subject_id == subject_id).values(proofs_since=proofs_since)
    )


def add_phone(session: Session, *, session_id: UUID, phone_binding_id: UUID) -> None:
    """The session has proven a phone beside what it was signed in with."""
    session.execute(
        update(CitizenSession).where(CitizenSession.id == session_id).values(phone_binding_id=phone_binding_id)
    )


def hand_over(
    session: Session,
    *,
    session_id: UUID,
    to: UUID,
    phone_binding_id: UUID | None,
    wechat_binding_id: UUID | None,
    proofs_since: datetime | None,
    alipay_binding_id: UUID | None = None,
) -> None:
    """The person of this session proved to be another subject than the phone's earlier owner (ID-4)."""
    session.execute(
        update(CitizenSession)
        .where(CitizenSession.id == session_id)
        .values(
            subject_id=to,
            phone_binding_id=phone_binding_id,
            wechat_binding_id=wechat_binding_id,
            alipay_binding_id=alipay_binding_id,
            proofs_since=proofs_since,
        )
    )


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Sessions and sign-in history of the absorbed subject are the kept one's."""
    for table in (CitizenSession, LoginEvent):
        session.execute(update(table).where(table.subject_id == event.absorbed).values(subject_id=event.kept))
    authenticator.changed(session, event.absorbed)
    authenticator.changed(session, event.kept)


def prune(session: Session) -> int:
    """Delete a batch of sessions that are long over, with their refresh tokens, and of old history; how many rows."""
    now = clock.wall()
    over = select(CitizenSession.id).where(CitizenSession.expires_at < now - rules.KEEP_OVER).limit(_BATCH)
    old = select(LoginEvent.id).where(LoginEvent.at < now - rules.KEEP_HISTORY).limit(_BATCH)
    gone = session.scalars(delete(CitizenSession).where(CitizenSession.id.in_(over)).returning(CitizenSession.id)).all()
    gone_history = session.scalars(delete(LoginEvent).where(LoginEvent.id.in_(old)).returning(LoginEvent.id)).all()
    return len(gone) + len(gone_history)


def note(session: Session, *, subject_id: UUID | None, origin: Origin, method: Method, result: LoginResult) -> None:
    """Write a line of the sign-in history."""
    _NOTE.rows(
        session,
        id=ids.uuid7(),
        subject_id=subject_id,
        at=clock.wall(),
        method=method.value,
        channel=origin.channel,
        result=result.value,
        address=origin.address,
        device=_shortened(origin.device),
    )


def _owned(session: Session, actor: Citizen, session_id: UUID) -> CitizenSession:
    if session_id != actor.session_id and queries.own_since(session, actor) is not None:
        raise NotFound()
    found = session.scalar(
        select(CitizenSession)
        .where(
            CitizenSession.id == session_id,
            CitizenSession.subject_id == actor.subject_id,
            CitizenSession.ended_at.is_(None),
        )
        .with_for_update()
    )
    if found is None:
        raise NotFound()
    return found


def _end(session: Session, row: CitizenSession, reason: EndReason) -> None:
    row.ended_at, row.end_reason = clock.wall(), reason
    session.flush()
    authenticator.changed(session, row.subject_id)
    events.publish(session, SessionEnded(row.id, row.subject_id))


def _access(session: Session, row: CitizenSession, now: datetime) -> tuple[str, datetime, int]:
    level = identity.level(session, row.subject_id, clock.now(), since=row.proofs_since, channel=row.channel)
    channel = cast(Channel, row.channel)
    ends = rules.access_end(channel, now, row.expires_at)
    token = authenticator.issue(
        subject_id=row.subject_id, session_id=row.id, channel=channel, level=level, now=now, expires_at=ends
    )
    return token, ends, level


def _tokens(session: Session, row: CitizenSession, now: datetime) -> tuple[Tokens, UUID]:
    """A pair of tokens, and the key of the refresh token."""
    access, ends, level = _access(session, row, now)
    secret = ids.random_token(256)
    token_id = ids.uuid7()
    _GIVE.rows(session, id=token_id, session_id=row.id, token_hash=rules.token_digest(secret), created_at=now)
    tokens = Tokens(access, _seconds(ends, now), secret, _seconds(row.expires_at, now), row.id, level)
    return tokens, token_id


def _seconds(end: datetime, now: datetime) -> int:
    return int((end - now).total_seconds())


def _shortened(device: str | None) -> str | None:
    return device[:_DEVICE_LONGEST] if device else None
