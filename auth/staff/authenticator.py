"""From a staff token to the member: reads the session, once a second at most.

So a session that was ended, a member who was disabled and a role that was taken away stop counting within a second, in
every process. Times are the true ones (`clock.wall`): idling is a matter of security and doesn't follow a shifted clock.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from auth.staff.models import StaffMember, StaffSession
from auth.staff.rules import is_over, may_sign_in, token_digest
from core import clock
from core.actors import Staff
from core.db import transaction
from core.errors import NotAuthenticated

TRUST_SECONDS = 1.0
TOUCH_EVERY = timedelta(minutes=1)

_MOST_ENTRIES = 5_000


@dataclass(frozen=True, slots=True)
class _Seen:
    staff: Staff
    read_at: float


_lock = threading.Lock()
_seen: dict[bytes, _Seen] = {}


def staff_of(token: str) -> Staff:
    """The member of staff whose session `token` is. Raises `NotAuthenticated` for an unknown, ended or idle one."""
    digest = token_digest(token)
    with _lock:
        seen = _seen.get(digest)
    if seen is not None and time.monotonic() - seen.read_at < TRUST_SECONDS:
        return seen.staff
    staff = _read(digest)
    with _lock:
        if len(_seen) >= _MOST_ENTRIES:
            _seen.clear()
        if staff is None:
            _seen.pop(digest, None)
        else:
            _seen[digest] = _Seen(staff, time.monotonic())
    if staff is None:
        raise NotAuthenticated(headers={"WWW-Authenticate": "Bearer"})
    return staff


def forget(session_id: UUID) -> None:
    """Read this session afresh at its next request (this process; the others do within a second)."""
    with _lock:
        for digest in [digest for digest, seen in _seen.items() if seen.staff.session_id == session_id]:
            del _seen[digest]


def _read(digest: bytes) -> Staff | None:
    now = clock.wall()
    with transaction() as session:
        row = session.execute(
            select(
                StaffSession.id,
                StaffSession.last_seen_at,
                StaffSession.expires_at,
                StaffMember.id.label("staff_id"),
                StaffMember.roles,
                StaffMember.hall_id,
                StaffMember.department_id,
                StaffMember.active,
                StaffMember.expires_at.label("account_until"),
                StaffMember.must_change_password,
            )
            .join(StaffMember, StaffMember.id == StaffSession.staff_id)
            .where(StaffSession.token_hash == digest, StaffSession.ended_at.is_(None))
        ).one_or_none()
        if row is None or is_over(last_seen=row.last_seen_at, expires_at=row.expires_at, now=now):
            return None
        if not may_sign_in(active=row.active, expires_at=row.account_until, now=now):
            return None
        if now - row.last_seen_at >= TOUCH_EVERY:
            session.execute(update(StaffSession).where(StaffSession.id == row.id).values(last_seen_at=now))
    return Staff(
        staff_id=row.staff_id,
        session_id=row.id,
        roles=frozenset(row.roles),
        hall_id=row.hall_id,
        department_id=row.department_id,
        restricted=row.must_change_password,
    )
