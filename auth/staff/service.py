"""Accounts of members of staff, and their signing in and out.

Times of sessions, locks and one-time codes are true times (`clock.wall`), whatever a demonstration does to the business
clock: a member must neither be signed out nor unlocked by it.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.staff import authenticator, rules
from auth.staff.errors import StaffSignInRefused, UsernameTaken
from auth.staff.events import StaffLeft
from auth.staff.models import StaffMember, StaffSession
from auth.staff.queries import Member, view
from core import audit, clock, events, ids, security
from core.actors import Actor, Staff, System
from core.errors import NotFound
from core.limits import Limit, hit

ISSUER = "Ningbo Government"
SIGN_INS_PER_ADDRESS = Limit("staff-sign-in-address", 60, 300)
SIGN_INS_PER_NAME = Limit("staff-sign-in-name", 20, 300)

_COMMAND_LINE = System("command-line")
_SIGN_IN = System("staff-sign-in")
# Argon2id with OWASP's smallest recommended cost: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. `access_token` is shown this once and stored nowhere."""

    access_token: str
    expires_at: datetime
    member: Member


def sign_in(session: Session, *, username: str, password: str, totp: str, address: str | None) -> SignedIn | None:
    """Sign in with password and one-time code; None for every refusal, whose reason nobody is told.

    The refusal is returned, not raised, so that the failure it counts is committed; see `refused`. The fifth failure in
    a row locks for 15 minutes, and a code counts once (2.7). Raises `RateLimited`.
    """
    name = username.strip().lower()
    hit(SIGN_INS_PER_ADDRESS, address or "-")
    hit(SIGN_INS_PER_NAME, security.lookup("staff-username", name).hex())
    now = clock.wall()
    member = session.scalar(select(StaffMember).where(StaffMember.username == name).with_for_update())
    # Hashed in every case, so that the time taken doesn't tell which names exist.
    right = matches(member.password_hash if member else _nobody(), password)
    if member is None or not rules.may_sign_in(active=member.active, expires_at=member.expires_at, now=now):
        _refuse(session, member, "unknown" if member is None else "disabled")
        return None
    attempts = rules.Attempts(member.failed_attempts, member.locked_until)
    if rules.is_locked(attempts, now):
        _refuse(session, member, "locked")
        return None
    step = rules.matching_step(member.totp_secret, totp, now, member.totp_last_step)
    if not right or step is None:
        after = rules.after_failure(attempts, now)
        member.failed_attempts, member.locked_until = after.failed, after.locked_until
        _refuse(session, member, "locked now" if after.locked_until else "wrong")
        return None
    member.failed_attempts, member.locked_until, member.totp_last_step = 0, None, step
    if _hasher.check_needs_rehash(member.password_hash):
        member.password_hash = _hasher.hash(password)
    opened, token = open_session(session, staff_id=member.id, address=address)
    audit.record(
        session,
        actor=Staff(member.id, opened.id, frozenset(member.roles), member.hall_id, member.department_id),
        action="staff.sign_in",
        object_type="staff_member",
        object_id=member.id,
    )
    return SignedIn(token, opened.expires_at, view(member))


def refused() -> StaffSignInRefused:
    """The one answer to every refused sign-in."""
    minutes = int(rules.LOCK.total_seconds() // 60)
    return StaffSignInRefused(failures=rules.FAILURES_TO_LOCK, minutes=minutes)


def _refuse(session: Session, member: StaffMember | None, why: str) -> None:
    audit.record(
        session,
        actor=_SIGN_IN,
        action="staff.sign_in",
        object_type="staff_member",
        object_id=member.id if member else "-",
        result="refused",
        why=why,
    )


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether the password is the one of the hash; what is no hash ("!", for somebody without a password) matches none."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@functools.cache
def _nobody() -> str:
    """A hash that no password matches, for names that don't exist."""
    return _hasher.hash(secrets.token_urlsafe(32))


def open_session(session: Session, *, staff_id: UUID, address: str | None) -> tuple[StaffSession, str]:
    """A new session of a member and its token, 256 random bits."""
    now, token = clock.wall(), ids.random_token(256)
    opened = StaffSession(
        staff_id=staff_id,
        token_hash=rules.token_digest(token),
        created_at=now,
        last_seen_at=now,
        expires_at=now + rules.LONGEST_SESSION,
        address=address,
    )
    session.add(opened)
    session.flush()
    return opened, token


def sign_out(session: Session, *, actor: Staff) -> None:
    """End the actor's session."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.id == actor.session_id, StaffSession.ended_at.is_(None))
        .values(ended_at=clock.wall())
    )
    authenticator.forget(actor.session_id)
    audit.record(session, actor=actor, action="staff.sign_out", object_type="staff_member", object_id=actor.staff_id)


def end_own_session(session: Session, *, actor: Staff, session_id: UUID) -> None:
    """End one of the actor's sessions. Raises `NotFound` for a foreign one, an ended one and none alike."""
    ended = session.scalar(
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.staff_id == actor.staff_id, StaffSession.ended_at.is_(None))
        .values(ended_at=clock.wall())
        .returning(StaffSession.id)
    )
    if ended is None:
        raise NotFound()
    authenticator.forget(session_id)
    audit.record(session, actor=actor, action="staff.end_session", object_type="staff_member", object_id=actor.staff_id)


def add_member(
    session: Session,
    *,
    username: str,
    name: str,
    password: str,
    roles: Sequence[str],
    hall_id: UUID | None = None,
    department_id: str | None = None,
    actor: Actor = _COMMAND_LINE,
    expires_at: datetime | None = None,
    must_change_password: bool = False,
) -> tuple[Member, str]:
    """A new member, and the otpauth address for the authenticator app. `expires_at`: a temporary account.

    `must_change_password`: nothing else can be done before. Without roles, a security administrator gives them.

    Raises `RolesNotAllowed`, `PasswordTooWeak`, `UsernameTaken`.
    """
    wanted, taken_name = rules.check_roles(roles) if roles else [], username.strip().lower()
    rules.check_password(password, taken_name)
    if session.scalar(select(StaffMember.id).where(StaffMember.username == taken_name)):
        raise UsernameTaken()
    now, secret = clock.wall(), pyotp.random_base32()
    member = StaffMember(
        username=taken_name,
        name=name,
        password_hash=_hasher.hash(password),
        totp_secret=secret,
        roles=wanted,
        hall_id=hall_id,
        department_id=department_id,
        active=True,
        failed_attempts=0,
        password_changed_at=now,
        created_at=now,
        expires_at=expires_at,
        must_change_password=must_change_password,
    )
    session.add(member)
    session.flush()
    _record(session, actor, "staff.add", member)
    return view(member), otpauth(member)


def set_demo_member(
    session: Session,
    *,
    username: str,
    name: str,
    roles: Sequence[str],
    hall_id: UUID | None = None,
    department_id: str | None = None,
) -> tuple[str, str]:
    """Make a member for a demonstration, or renew the secrets of one: a fresh password and the otpauth address."""
    password = f"{secrets.token_urlsafe(12)}-Aa1"
    member = session.scalar(select(StaffMember).where(StaffMember.username == username).with_for_update())
    if member is None:
        _view, address = add_member(
            session,
            username=username,
            name=name,
            password=password,
            roles=roles,
            hall_id=hall_id,
            department_id=department_id,
        )
        return password, address
    member.name, member.roles, member.hall_id, member.department_id = (
        name,
        rules.check_roles(roles),
        hall_id,
        department_id,
    )
    member.password_hash, member.password_changed_at = _hasher.hash(password), clock.wall()
    member.totp_secret, member.totp_last_step = pyotp.random_base32(), None
    member.active, member.failed_attempts, member.locked_until, member.must_change_password = True, 0, None, False
    end_sessions(session, member.id)
    _record(session, _COMMAND_LINE, "staff.renew", member)
    return password, otpauth(member)


def change_roles(session: Session, *, actor: Actor, staff_id: UUID, roles: Sequence[str]) -> Member:
    """Give a member other roles; they count at the next request. Raises `NotFound`, `RolesNotAllowed`."""
    member = _locked(session, staff_id)
    before = {"roles": list(member.roles)}
    member.roles = rules.check_roles(roles) if roles else []
    _record(session, actor, "staff.change_roles", member, before=before)
    return view(member)


def disable(session: Session, *, actor: Actor, staff_id: UUID) -> Member:
    """Close a leaver's account and end the open sessions at once; what was claimed is free again. Raises `NotFound`."""
    member = _locked(session, staff_id)
    before = {"active": member.active}
    member.active = False
    end_sessions(session, member.id)
    _record(session, actor, "staff.disable", member, before=before)
    events.publish(session, StaffLeft(member.id))
    return view(member)


def _locked(session: Session, staff_id: UUID) -> StaffMember:
    member = session.scalar(select(StaffMember).where(StaffMember.id == staff_id).with_for_update())
    if member is None:
        raise NotFound()
    return member


def end_sessions(session: Session, staff_id: UUID) -> None:
    """End every session of a member at once."""
    ended = session.scalars(
        update(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
        .values(ended_at=clock.wall())
        .returning(StaffSession.id)
    )
    for session_id in ended:
        authenticator.forget(session_id)


def otpauth(member: StaffMember) -> str:
    """The address that sets up an authenticator app, as in a QR code."""
    return pyotp.TOTP(member.totp_secret).provisioning_uri(name=member.username, issuer_name=ISSUER)


def _record(
    session: Session, actor: Actor, action: str, member: StaffMember, *, before: Mapping[str, object] | None = None
) -> None:
    after = {
        "roles": member.roles,
        "active": member.active,
        "hall": member.hall_id,
        "department": member.department_id,
    }
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="staff_member",
        object_id=member.id,
        before=before,
        after=after,
        roles=",".join(member.roles),
    )
