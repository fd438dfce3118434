"""P-6: sign-ins and confirmations of staff that are over are forgotten; what stands, and the audit log, stay."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from auth.staff import jobs, service
from auth.staff.confirmations.models import StaffConfirmation
from auth.staff.models import StaffMember, StaffPassword, StaffSession
from auth.staff.passwords import service as passwords
from auth.staff.passwords.service import REMEMBERED
from core import clock, retention
from core.actors import System
from core.audit import AuditEntry
from core.db import transaction

People = Callable[..., tuple[Any, dict[str, str]]]


def counts() -> tuple[int, int]:
    """Sessions and confirmations."""
    with transaction() as session:
        tables = (StaffSession, StaffConfirmation)
        first, second = (session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
        return first, second


def end_ago(member: Any, days: float) -> None:
    ended = clock.wall() - timedelta(days=days)
    with transaction() as session:
        session.execute(update(StaffSession).where(StaffSession.id == member.session_id).values(expires_at=ended))
        session.execute(
            update(StaffConfirmation).where(StaffConfirmation.session_id == member.session_id).values(expires_at=ended)
        )


def test_by_their_own_terms(staff: People) -> None:
    """30 days for a confirmation, 183 for a sign-in, each counted from its end; the run leaves an audit row."""
    made = [staff("FRONT_CLERK")[0] for _ in range(4)]
    sessions, confirmations = counts()
    each = confirmations // len(made)
    for member, days in zip(made, (0.0, 29.9, 30.1, 183.1), strict=True):
        if days:
            end_ago(member, days)
    jobs.forget_old()
    assert counts() == (sessions - 1, each * 2)
    jobs.forget_old()
    assert counts() == (sessions - 1, each * 2)
    with transaction() as session:
        query = select(AuditEntry.object_id, AuditEntry.facts).where(AuditEntry.action == "retention.forget")
        noted = {row.object_id: row.facts["rows"] for row in session.execute(query)}
    assert noted == {"staff_confirmations": each * 2, "staff_sessions": 1}


def test_the_city_sets_the_terms_in_any_order(staff: People) -> None:
    """Sign-ins kept shorter than confirmations take theirs along."""
    member, _ = staff("FRONT_CLERK")
    end_ago(member, 3)
    with transaction() as session:
        retention.set_days(session, actor=System("tests"), code="staff_sessions", days=2)
    try:
        jobs.forget_old()
        assert counts() == (0, 0)
    finally:
        with transaction() as session:
            retention.set_days(session, actor=System("tests"), code="staff_sessions", days=183)


def test_a_moved_clock_forgets_nobody_who_is_signed_in(staff: People) -> None:
    staff("FRONT_CLERK")
    before = counts()
    with clock.at(clock.wall() + timedelta(days=400)):
        jobs.forget_old()
    assert counts() == before


def test_only_the_passwords_that_may_not_come_again_are_kept(staff: People) -> None:
    member, _ = staff("FRONT_CLERK")
    current = "The-First-Word-37"
    with transaction() as session:
        session.get_one(StaffMember, member.staff_id).password_hash = service.hashed(current)
    for number in range(REMEMBERED + 2):
        following = f"Another-Good-Word-{number}-37"
        with transaction() as session:
            assert passwords.change(session, actor=member, old=current, new=following)
        current = following
    with transaction() as session:
        kept = session.scalar(select(func.count()).select_from(StaffPassword))
    assert kept == REMEMBERED - 1
