"""Rules of staff accounts and sessions (2.7). Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from auth.staff import roles
from auth.staff.errors import PasswordTooWeak, RolesNotAllowed

FAILURES_TO_LOCK = 5
LOCK = timedelta(minutes=15)
IDLE = timedelta(minutes=15)
# A session ends after a working day, however busy it is [D].
LONGEST_SESSION = timedelta(hours=12)

PASSWORD_LENGTH = 12
_KINDS_NEEDED = 3

TOTP_SECONDS = 30
# One step of clock difference either way.
_STEPS_OFF = (0, -1, 1)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures in a row and until when the account is locked."""

    failed: int
    locked_until: datetime | None


def is_locked(attempts: Attempts, now: datetime) -> bool:
    """Whether the account is locked at `now`."""
    return attempts.locked_until is not None and now < attempts.locked_until


def after_failure(attempts: Attempts, now: datetime) -> Attempts:
    """The state after one more failure: the fifth in a row locks for 15 minutes; a lock that is over starts afresh."""
    failed = (0 if attempts.locked_until is not None else attempts.failed) + 1
    return Attempts(failed, now + LOCK if failed >= FAILURES_TO_LOCK else None)


def matching_step(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """The 30-second step whose code this is, or None. A step that was used, or one before it, never counts again."""
    current = int(now.timestamp()) // TOTP_SECONDS
    generator = pyotp.HOTP(secret)
    found = None
    for off in _STEPS_OFF:
        step = current + off
        same = hmac.compare_digest(generator.at(step).encode(), code.encode())
        if same and (last_step is None or step > last_step):
            found = step
    return found


def token_digest(token: str) -> bytes:
    """By what a session is found: the SHA-256 of its token, which has 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def is_over(*, last_seen: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether a session has ended by itself: 15 minutes idle, or its longest time over."""
    return now - last_seen >= IDLE or now >= expires_at


def may_sign_in(*, active: bool, expires_at: datetime | None, now: datetime) -> bool:
    """Whether an account is open: not closed, and a temporary one not over."""
    return active and (expires_at is None or now < expires_at)


def check_roles(held: Iterable[str]) -> list[str]:
    """The roles in order. Raises `RolesNotAllowed` for none, unknown ones, or two of the three administrators."""
    wanted = frozenset(held)
    if not wanted or not wanted <= roles.ALL or len(wanted & roles.SEPARATED) > 1:
        raise RolesNotAllowed()
    return sorted(wanted)


def check_password(password: str, username: str) -> None:
    """Raise `PasswordTooWeak` unless it is long, mixed and free of the user name."""
    kinds = [
        any(char.isupper() for char in password),
        any(char.islower() for char in password),
        any(char.isdigit() for char in password),
        any(not char.isalnum() for char in password),
    ]
    if len(password) < PASSWORD_LENGTH or sum(kinds) < _KINDS_NEEDED or username.lower() in password.lower():
        raise PasswordTooWeak(length=PASSWORD_LENGTH)
