"""Moves of a subject's state, and phones that may have changed hands (ID-3, ID-4, ID-12)."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from auth.accounts.events import AccountChange
from auth.accounts.rules import TRANSITIONS, Policy, SubjectState, is_dormant, sources

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ALLOWED = {(SubjectState.ACTIVE, to) for to in (SubjectState.FROZEN, SubjectState.MERGED, SubjectState.CLOSED)} | {
    (SubjectState.FROZEN, SubjectState.ACTIVE)
}


def test_every_state_has_its_moves() -> None:
    assert set(TRANSITIONS) == set(SubjectState)


@pytest.mark.parametrize(("state", "wanted"), list(product(SubjectState, SubjectState)))
def test_every_pair_of_states(state: SubjectState, wanted: SubjectState) -> None:
    assert (state in sources(wanted)) == ((state, wanted) in ALLOWED)


@pytest.mark.parametrize(
    ("unused", "dormant"),
    [
        (timedelta(0), False),
        (timedelta(days=90), False),
        (timedelta(days=90, microseconds=1), True),
        (timedelta(days=400), True),
    ],
)
def test_a_phone_is_dormant_after_90_days(unused: timedelta, dormant: bool) -> None:
    assert is_dormant(NOW - unused, NOW) is dormant


def test_the_period_is_the_citys_to_set() -> None:
    short = Policy(phone_dormant_after=timedelta(days=30))
    assert is_dormant(NOW - timedelta(days=31), NOW, short)
    assert not is_dormant(NOW - timedelta(days=31), NOW)


def test_every_change_has_words_for_its_notice() -> None:
    assert all(change.note for change in AccountChange)
