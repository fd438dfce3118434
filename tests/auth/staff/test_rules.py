"""Locks, one-time codes, sessions, roles and passwords of members of staff (DOMAIN 2.7, 3.16)."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.staff import roles, rules
from auth.staff.errors import PasswordTooWeak, RolesNotAllowed
from auth.staff.rules import Attempts

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_the_fifth_failure_locks_for_15_minutes() -> None:
    attempts = Attempts(0, None)
    for _ in range(4):
        attempts = rules.after_failure(attempts, NOW)
        assert not rules.is_locked(attempts, NOW)
    attempts = rules.after_failure(attempts, NOW)
    assert rules.is_locked(attempts, NOW)
    assert rules.is_locked(attempts, NOW + 15 * MINUTE - timedelta(seconds=1))
    assert not rules.is_locked(attempts, NOW + 15 * MINUTE)


def test_after_a_lock_the_count_starts_afresh() -> None:
    later = NOW + 16 * MINUTE
    attempts = rules.after_failure(Attempts(5, NOW + 15 * MINUTE), later)
    assert attempts == Attempts(1, None)


def _code(at: datetime) -> str:
    return pyotp.TOTP(SECRET).at(at)


def test_a_code_counts_within_one_step_of_clock_difference() -> None:
    step = int(NOW.timestamp()) // 30
    for off in (-1, 0, 1):
        code = _code(NOW + timedelta(seconds=30 * off))
        assert rules.matching_step(SECRET, code, NOW, None) == step + off
    for off in (-2, 2):
        assert rules.matching_step(SECRET, _code(NOW + timedelta(seconds=30 * off)), NOW, None) is None


def test_a_code_counts_once_and_older_ones_no_more() -> None:
    step = rules.matching_step(SECRET, _code(NOW), NOW, None)
    assert step is not None
    assert rules.matching_step(SECRET, _code(NOW), NOW, step) is None
    assert rules.matching_step(SECRET, _code(NOW - timedelta(seconds=30)), NOW, step) is None
    assert rules.matching_step(SECRET, _code(NOW + timedelta(seconds=30)), NOW, step) == step + 1


@given(st.text(alphabet="0123456789", min_size=6, max_size=6))
def test_no_other_code_counts(code: str) -> None:
    right = {_code(NOW + timedelta(seconds=30 * off)) for off in (-1, 0, 1)}
    assert (rules.matching_step(SECRET, code, NOW, None) is not None) == (code in right)


def test_a_session_ends_idle_or_after_its_longest_time() -> None:
    end = NOW + timedelta(hours=12)
    assert not rules.is_over(last_seen=NOW, expires_at=end, now=NOW + 15 * MINUTE - timedelta(seconds=1))
    assert rules.is_over(last_seen=NOW, expires_at=end, now=NOW + 15 * MINUTE)
    assert rules.is_over(last_seen=end, expires_at=end, now=end)


def test_nobody_holds_two_of_the_three_administrators() -> None:
    for pair in combinations(sorted(roles.SEPARATED), 2):
        with pytest.raises(RolesNotAllowed):
            rules.check_roles(pair)
        with pytest.raises(RolesNotAllowed):
            rules.check_roles([*pair, roles.FRONT_CLERK])
    for role in roles.SEPARATED:
        assert rules.check_roles([role, roles.FRONT_CLERK]) == sorted([role, roles.FRONT_CLERK])


@pytest.mark.parametrize("held", [[], ["CLERK"], [roles.FRONT_CLERK, "root"]])
def test_roles_must_exist(held: list[str]) -> None:
    with pytest.raises(RolesNotAllowed):
        rules.check_roles(held)


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("Correct-horse-7", True),
        ("correct horse 7", True),
        ("Short-1", False),
        ("longbutonlysmall", False),
        ("123456789012345", False),
        ("Wang.Fang-2026-ok", False),
        ("密码密码密码密码密码-A1b", True),
    ],
)
def test_passwords(password: str, good: bool) -> None:
    if good:
        rules.check_password(password, "wang.fang")
    else:
        with pytest.raises(PasswordTooWeak):
            rules.check_password(password, "wang.fang")


# DOMAIN 3.16, column "cannot": what a role alone must not give.
FORBIDDEN = {
    roles.FRONT_CLERK: {"case.decide", "case.suspend"},
    roles.BACK_OFFICER: {"case.accept", "bill.issue", "catalogue.draft"},
    roles.HALL_MANAGER: {"case.review", "case.decide", "prereview.review"},
    roles.FINANCE: {"case.decide", "case.accept"},
    roles.HOTLINE_OFFICER: {"case.review", "prereview.review"},
    roles.SUPERVISOR: {"case.decide"},
    roles.SYSTEM_ADMIN: {"staff.manage", "audit.read"},
    roles.SECURITY_ADMIN: {"system.settings", "audit.read"},
    roles.AUDIT_ADMIN: {"system.settings", "staff.manage"},
}


@pytest.mark.parametrize("role", sorted(FORBIDDEN))
def test_what_a_role_does_not_permit(role: str) -> None:
    assert roles.permissions([role]) & FORBIDDEN[role] == set()


def test_permissions_add_up_and_unknown_roles_have_none() -> None:
    both = roles.permissions([roles.FRONT_CLERK, roles.FINANCE])
    assert both == roles.PERMISSIONS[roles.FRONT_CLERK] | roles.PERMISSIONS[roles.FINANCE]
    assert roles.permissions(["ROOT"]) == frozenset()
    assert all(roles.PERMISSIONS[role] for role in roles.ALL)
