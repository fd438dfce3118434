"""Confirming an act. The session is given; nothing here commits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from auth.staff import rules, service
from auth.staff.confirmations.models import StaffConfirmation
from auth.staff.confirmations.rules import STANDS, Act, Factor
from auth.staff.models import StaffMember, StaffSession
from core import audit, clock, ids
from core.actors import Staff
from core.limits import Limit, hit

TRIES = Limit("staff-confirm", 20, 300)
_BATCH = 500


def confirm(
    session: Session, *, actor: Staff, act: Act, password: str | None = None, totp: str | None = None
) -> StaffConfirmation | None:
    """Confirm `act` for five minutes by password or by a one-time code that wasn't used yet; None for a wrong one.

    The refusal is returned, not raised, so that its count is committed. It counts towards the lock of the account, and
    the failure that locks also signs the member out everywhere: a stranger may sit at the desk. Raises `RateLimited`.
    """
    hit(TRIES, str(actor.staff_id))
    now = clock.wall()
    member = session.scalars(select(StaffMember).where(StaffMember.id == actor.staff_id).with_for_update()).one()
    attempts = rules.Attempts(member.failed_attempts, member.locked_until)
    step = rules.matching_step(member.totp_secret, totp, now, member.totp_last_step) if totp is not None else None
    right = step is not None if password is None else service.matches(member.password_hash, password)
    if rules.is_locked(attempts, now) or not right:
        if not rules.is_locked(attempts, now):
            after = rules.after_failure(attempts, now)
            member.failed_attempts, member.locked_until = after.failed, after.locked_until
        if member.locked_until is not None:
            service.end_sessions(session, member.id)
        _record(session, actor, act, "refused")
        return None
    member.failed_attempts, member.locked_until = 0, None
    if password is None:
        member.totp_last_step = step
    made = StaffConfirmation(
        id=ids.uuid7(),
        session_id=actor.session_id,
        act=act,
        factor=Factor.TOTP if password is None else Factor.PASSWORD,
        given_at=now,
        expires_at=now + STANDS,
    )
    session.add(made)
    _record(session, actor, act, "ok")
    return made


def _record(session: Session, actor: Staff, act: Act, result: str) -> None:
    audit.record(
        session,
        actor=actor,
        action="staff.confirm",
        object_type="staff_member",
        object_id=actor.staff_id,
        result=result,
        act=act.value,
    )


def forget(session: Session, before: datetime) -> int:
    """P-6: delete a batch of confirmations that ended before `before` (a true time); how many."""
    old = select(StaffConfirmation.id).where(StaffConfirmation.expires_at < before).limit(_BATCH)
    gone = delete(StaffConfirmation).where(StaffConfirmation.id.in_(old)).returning(StaffConfirmation.id)
    return len(session.scalars(gone).all())


def forget_sessions(session: Session, before: datetime) -> int:
    """P-6: delete a batch of sign-ins that ended before `before` (a true time), with what was confirmed in them; how many."""
    old = select(StaffSession.id).where(StaffSession.expires_at < before).limit(_BATCH)
    keys = session.scalars(old).all()
    session.execute(delete(StaffConfirmation).where(StaffConfirmation.session_id.in_(keys)))
    session.execute(delete(StaffSession).where(StaffSession.id.in_(keys)))
    return len(keys)
