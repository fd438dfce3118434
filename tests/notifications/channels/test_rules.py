"""Quiet hours and the states of a delivery (DOMAIN 3.17)."""

from datetime import UTC, datetime, time, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import SHANGHAI
from core.errors import StateConflict
from notifications.channels.rules import Channel, DeliveryState, allowed_at, check_move, may_ask_again
from notifications.templates import queries
from notifications.templates.rules import Policy

S = DeliveryState
ALLOWED = {
    (S.PENDING, S.ASKING), (S.PENDING, S.NO_CONSENT), (S.PENDING, S.SKIPPED),
    (S.ASKING, S.PENDING), (S.ASKING, S.UNANSWERED), (S.ASKING, S.SENT), (S.ASKING, S.DELIVERED), (S.ASKING, S.FAILED),
    (S.ASKING, S.NO_CONSENT),
    (S.UNANSWERED, S.ASKING), (S.UNANSWERED, S.DELIVERED), (S.UNANSWERED, S.FAILED),
    (S.SENT, S.DELIVERED), (S.SENT, S.FAILED),
}  # fmt: skip
POLICY = Policy(quiet_from=time(21), quiet_until=time(8), fallback_minutes=10, page="p")


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_every_pair_of_states(before: DeliveryState, after: DeliveryState) -> None:
    if (before, after) in ALLOWED:
        check_move(before, after)
    else:
        with pytest.raises(StateConflict):
            check_move(before, after)


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (_at(24, 20, 59), _at(24, 20, 59)),
        (_at(24, 21, 0), _at(25, 8, 0)),
        (_at(24, 23, 59), _at(25, 8, 0)),
        (_at(25, 0, 0), _at(25, 8, 0)),
        (_at(25, 7, 59), _at(25, 8, 0)),
        (_at(25, 8, 0), _at(25, 8, 0)),
        (_at(30, 22, 0), datetime(2026, 12, 1, 8, tzinfo=SHANGHAI)),
    ],
)
def test_quiet_hours(moment: datetime, expected: datetime) -> None:
    assert allowed_at(moment.astimezone(UTC), POLICY, at_night=False) == expected
    assert allowed_at(moment, POLICY, at_night=True) == moment


@given(st.integers(0, 20 * 365 * 86_400))
def test_the_wait_is_short_and_ends_outside_quiet_hours(seconds: int) -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = allowed_at(moment, POLICY, at_night=False)
    assert timedelta() <= found - moment <= timedelta(hours=11)
    assert time(8) <= found.astimezone(SHANGHAI).time() < time(21)
    assert allowed_at(found, POLICY, at_night=False) == found


def test_the_policy_and_its_exemptions_are_the_domains() -> None:
    policy = queries.policy()
    assert (policy.quiet_from, policy.quiet_until, policy.fallback_minutes) == (time(21), time(8), 10)
    exempt = {code for code, entry in queries.all_templates().items() if entry.at_night}
    # The last is a one-time code too: somebody reads it out on the phone at that moment (DG-6).
    assert exempt == {"TICKET_CALLED", "DELIVERY_OUT", "DELIVERY_CODE", "DELEGATION_CODE"}


def test_only_a_recent_short_message_may_be_asked_for_again() -> None:
    asked = _at(24, 10)
    assert may_ask_again(Channel.SMS, asked, asked + timedelta(minutes=9))
    assert not may_ask_again(Channel.SMS, asked, asked + timedelta(minutes=10))
    assert not may_ask_again(Channel.WECHAT, asked, asked)
