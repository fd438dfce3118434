"""Changing a password. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.staff import authenticator, rules, service
from auth.staff.errors import PasswordUsedBefore
from auth.staff.models import StaffMember, StaffPassword, StaffSession
from core import audit, clock
from core.actors import Staff
from core.limits import Limit, hit

TRIES = Limit("staff-password", 10, 300)
# The one in use counts as one of them [D].
REMEMBERED = 5


def change(session: Session, *, actor: Staff, old: str, new: str) -> bool:
    """Change the actor's password and end all other sessions; False for a wrong old one, which counts towards the lock.

    Raises `PasswordTooWeak`, `PasswordUsedBefore` (one of the last five), `RateLimited`.
    """
    hit(TRIES, str(actor.staff_id))
    now = clock.wall()
    member = session.scalars(select(StaffMember).where(StaffMember.id == actor.staff_id).with_for_update()).one()
    attempts = rules.Attempts(member.failed_attempts, member.locked_until)
    if rules.is_locked(attempts, now) or not service.matches(member.password_hash, old):
        if not rules.is_locked(attempts, now):
            after = rules.after_failure(attempts, now)
            member.failed_attempts, member.locked_until = after.failed, after.locked_until
        _record(session, actor, "refused")
        return False
    rules.check_password(new, member.username)
    earlier = session.scalars(
        select(StaffPassword).where(StaffPassword.staff_id == member.id).order_by(StaffPassword.id.desc())
    ).all()
    known = (member.password_hash, *(one.password_hash for one in earlier[: REMEMBERED - 1]))
    if any(service.matches(one, new) for one in known):
        raise PasswordUsedBefore(count=REMEMBERED)
    for forgotten in earlier[REMEMBERED - 2 :]:
        session.delete(forgotten)
    session.add(StaffPassword(staff_id=member.id, password_hash=member.password_hash, replaced_at=now))
    member.password_hash, member.password_changed_at = service.hashed(new), now
    member.must_change_password, member.failed_attempts, member.locked_until = False, 0, None
    _end_others(session, actor)
    _record(session, actor, "ok")
    return True


def _end_others(session: Session, actor: Staff) -> None:
    ended = session.scalars(
        update(StaffSession)
        .where(
            StaffSession.staff_id == actor.staff_id,
            StaffSession.id != actor.session_id,
            StaffSession.ended_at.is_(None),
        )
        .values(ended_at=clock.wall())
        .returning(StaffSession.id)
    )
    for session_id in [*ended, actor.session_id]:
        authenticator.forget(session_id)


def _record(session: Session, actor: Staff, result: str) -> None:
    audit.record(
        session,
        actor=actor,
        action="staff.change_password",
        object_type="staff_member",
        object_id=actor.staff_id,
        result=result,
    )
