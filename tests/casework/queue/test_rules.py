"""Rules of the hall queue (AP-17 … AP-21)."""

from datetime import datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.appointments.rules import Arrival
from casework.queue import rules
from casework.queue.errors import CallTooSoon
from casework.queue.rules import Lane, QueueState, Result, State, Waiting
from casework.slots.rules import HallPolicy
from core.clock import SHANGHAI
from core.errors import StateConflict

POLICY = HallPolicy()
NOW = datetime(2026, 12, 3, 10, 0, tzinfo=SHANGHAI)

# The states of a ticket of 3.2; WAITING → VOID is the evening run.
ALLOWED = {
    ("WAITING", "CALLED"), ("CALLED", "SERVING"), ("SERVING", "FINISHED"), ("CALLED", "PASSED"),
    ("PASSED", "WAITING"), ("PASSED", "VOID"), ("WAITING", "VOID"),
}  # fmt: skip


def waiting(key: int, lane: Lane, minutes_ago: int, **more: int) -> Waiting:
    return Waiting(UUID(int=key), lane, NOW - timedelta(minutes=minutes_ago), **more)


def order(people: list[Waiting], state: QueueState = QueueState()) -> list[int]:  # noqa: B008
    """The keys in the order they are called, at one moment."""
    left, called = list(people), []
    while (following := rules.next_ticket(left, state, NOW, POLICY)) is not None:
        left.remove(following)
        state = state.after(following.lane)
        called.append(following.key.int)
    return called


@pytest.mark.parametrize(("state", "to"), list(product(State, State)))
def test_only_the_moves_of_the_table(state: State, to: State) -> None:
    if (state.value, to.value) in ALLOWED:
        rules.check_move(state, to)
    else:
        with pytest.raises(StateConflict):
            rules.check_move(state, to)


def test_every_state_has_its_text() -> None:
    assert set(rules.LABELS) == set(State)


def test_nobody_waits() -> None:
    assert rules.next_ticket([], QueueState(), NOW, POLICY) is None


def test_booked_then_priority_then_walk_in() -> None:
    people = [waiting(1, Lane.WALK_IN, 50), waiting(2, Lane.PRIORITY, 5), waiting(3, Lane.BOOKED, 0)]
    assert order(people) == [3, 2, 1]


def test_at_most_three_booked_in_a_row() -> None:
    booked = [waiting(n, Lane.BOOKED, 60 - n) for n in range(1, 8)]
    others = [waiting(21, Lane.WALK_IN, 90), waiting(22, Lane.PRIORITY, 1)]
    assert order(booked + others) == [1, 2, 3, 22, 4, 5, 6, 21, 7]
    assert order(booked + others, QueueState(9, 3))[0] == 22
    assert order(booked) == [1, 2, 3, 4, 5, 6, 7]  # nobody else waits


def test_booked_early_wait_for_their_time_unless_the_hall_is_empty() -> None:
    early, walk_in = waiting(1, Lane.BOOKED, -20), waiting(2, Lane.WALK_IN, 1)
    assert order([early, walk_in]) == [2, 1]
    assert order([early]) == [1]


def test_late_ones_are_at_the_back_of_the_booked() -> None:
    on_time, late = NOW - timedelta(minutes=5), NOW
    assert rules.queue_from(Arrival.ON_TIME, on_time, NOW) == on_time
    assert rules.queue_from(Arrival.LATE, on_time, NOW) == late
    people = [
        Waiting(UUID(int=1), Lane.BOOKED, rules.queue_from(Arrival.LATE, NOW - timedelta(minutes=40), NOW)),
        Waiting(UUID(int=2), Lane.BOOKED, NOW - timedelta(minutes=10)),
    ]
    assert order(people) == [2, 1]


def test_late_without_room_waits_with_the_walk_ins() -> None:
    assert rules.lane_of(Arrival.ON_TIME, room_minutes=0, minutes=25) is Lane.BOOKED
    assert rules.lane_of(Arrival.LATE, room_minutes=25, minutes=25) is Lane.BOOKED
    assert rules.lane_of(Arrival.LATE, room_minutes=24, minutes=25) is Lane.WALK_IN


def test_who_comes_back_is_next_after_three_more() -> None:
    people = [waiting(n, Lane.WALK_IN, 60 - n) for n in range(1, 6)]
    back = waiting(9, Lane.WALK_IN, 90, returns_after=13)
    assert order([*people, back], QueueState(calls_made=10)) == [1, 2, 3, 9, 4, 5]
    assert order([back], QueueState(calls_made=10)) == [9]  # nobody else waits


def test_a_missing_party_holds_the_ticket_back() -> None:
    couple, single = waiting(1, Lane.BOOKED, 9, missing=1), waiting(2, Lane.WALK_IN, 1)
    assert order([couple, single]) == [2]


tickets = st.builds(
    Waiting,
    key=st.uuids(),
    lane=st.sampled_from(Lane),
    queue_at=st.integers(-40, 40).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    returns_after=st.none() | st.integers(0, 12),
    missing=st.sampled_from([0, 0, 0, 1]),
)


@settings(deadline=None)
@given(people=st.lists(tickets, max_size=12, unique_by=lambda one: one.key))
def test_everybody_who_is_there_is_called_once(people: list[Waiting]) -> None:
    called = order(people)
    assert sorted(called) == sorted(one.key.int for one in people if one.missing == 0)


@settings(deadline=None)
@given(people=st.lists(tickets, min_size=1, max_size=12, unique_by=lambda one: one.key))
def test_how_many_are_ahead_is_what_happens(people: list[Waiting]) -> None:
    called = order(people)
    for one in people:
        ahead = rules.ahead_of(one.key, people, QueueState(), NOW, POLICY)
        assert ahead == (called.index(one.key.int) if one.missing == 0 else None)


@settings(deadline=None)
@given(people=st.lists(tickets, max_size=12, unique_by=lambda one: one.key))
def test_never_four_booked_while_others_wait(people: list[Waiting]) -> None:
    left, state, streak = [one for one in people if one.returns_after is None], QueueState(), 0
    while (following := rules.next_ticket(left, state, NOW, POLICY)) is not None:
        others = [one for one in left if one.lane is not Lane.BOOKED and one.missing == 0]
        streak = streak + 1 if following.lane is Lane.BOOKED else 0
        assert streak <= 3 or not others
        left.remove(following)
        state = state.after(following.lane)


def test_calls_are_a_minute_apart_and_three() -> None:
    rules.check_recall(1, NOW - timedelta(seconds=60), NOW, POLICY)
    with pytest.raises(CallTooSoon) as soon:
        rules.check_recall(1, NOW - timedelta(seconds=30, milliseconds=500), NOW, POLICY)
    assert soon.value.extra == {"retry_after": 30}
    with pytest.raises(StateConflict):
        rules.check_recall(3, NOW - timedelta(minutes=5), NOW, POLICY)


def test_passing_needs_three_calls_and_a_minute() -> None:
    rules.check_pass(3, NOW - timedelta(seconds=60), NOW, POLICY)
    with pytest.raises(StateConflict):
        rules.check_pass(2, NOW - timedelta(minutes=5), NOW, POLICY)
    with pytest.raises(CallTooSoon):
        rules.check_pass(3, NOW - timedelta(seconds=59), NOW, POLICY)


def test_back_once_within_half_an_hour() -> None:
    rules.check_return(1, NOW - timedelta(minutes=30), NOW, POLICY)
    with pytest.raises(StateConflict):
        rules.check_return(1, NOW - timedelta(minutes=30, seconds=1), NOW, POLICY)
    with pytest.raises(StateConflict):
        rules.check_return(2, NOW, NOW, POLICY)


def test_numbers() -> None:
    assert rules.number(rules.prefix(Lane.BOOKED, "Z4"), 12) == "Y4012"
    assert rules.number(rules.prefix(Lane.WALK_IN, "Z4"), 7) == "A4007"
    assert rules.prefix(Lane.PRIORITY, "Z4") == rules.prefix(Lane.WALK_IN, "Z4")
    assert rules.prefix(Lane.BOOKED, "TAX") == "YTAX"


@pytest.mark.parametrize(
    ("result", "prereviewed", "wasted"),
    [
        (Result.ACCEPTED, True, False),
        (Result.NOTICE, True, True),
        (Result.ADVICE, True, True),
        (Result.LEFT, True, False),
        (Result.NOTICE, False, False),
    ],
)
def test_a_reviewed_visit_that_comes_to_nothing_is_wasted(result: Result, prereviewed: bool, wasted: bool) -> None:
    assert rules.is_wasted(result, prereviewed=prereviewed) is wasted
