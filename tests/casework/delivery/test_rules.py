"""States of a shipment, and how they follow from the carrier's reports (3.6)."""

from datetime import UTC, datetime, timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.delivery import rules
from casework.delivery.errors import AddressNotServed, AlreadyHandedOver
from casework.delivery.rules import Event, Flag, Kind, State
from core.errors import StateConflict

ORDERED = datetime(2026, 11, 24, 1, tzinfo=UTC)
NOW = ORDERED + timedelta(days=3)
S = State


def _event(hours: float, kind: Kind, code: str = "") -> Event:
    return Event(at=ORDERED + timedelta(hours=hours), code=code or kind.value, place="宁波", kind=kind)


def _state(*events: Event, identity_ok: bool = False) -> State | None:
    return rules.read_track(events, ordered_at=ORDERED, now=NOW, identity_ok=identity_ok).state


WAY = (_event(1, Kind.COLLECTED), _event(5, Kind.MOVED), _event(24, Kind.OUT), _event(26, Kind.SIGNED))


def test_the_way_to_the_door() -> None:
    states = [_state(*WAY[: count + 1], identity_ok=True) for count in range(len(WAY))]
    assert states == [S.IN_TRANSIT, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERED]


def test_signed_without_identity_is_not_delivered() -> None:
    """CR-7."""
    assert _state(*WAY) is S.SIGNED_UNVERIFIED


@pytest.mark.parametrize("order", list(permutations(WAY)))
def test_order_of_arrival_does_not_matter(order: tuple[Event, ...]) -> None:
    """CR-14: 签收 may arrive before 揽收."""
    assert _state(*order, identity_ok=True) is S.DELIVERED


def test_repeats_change_nothing() -> None:
    """CR-14: reports form a set."""
    assert rules.read_track([*WAY, *WAY], ordered_at=ORDERED, now=NOW, identity_ok=True).attempts == 0
    twice = {*WAY, *WAY}
    assert len(twice) == len(WAY)


def test_what_comes_after_the_signature_changes_nothing_but_a_return() -> None:
    assert _state(*WAY, _event(30, Kind.MOVED), identity_ok=True) is S.DELIVERED
    assert _state(*WAY, _event(30, Kind.RETURNING), identity_ok=True) is S.RETURNING
    assert _state(*WAY, _event(30, Kind.RETURNED), identity_ok=True) is S.RETURNED


@pytest.mark.parametrize("kind", [Kind.LEFT_AT_LOCKER, Kind.SIGNED_BY_OTHER])
def test_lockers_and_neighbours_raise_an_alert(kind: Kind) -> None:
    """CR-8."""
    track = rules.read_track([*WAY[:3], _event(26, kind)], ordered_at=ORDERED, now=NOW, identity_ok=False)
    assert Flag.LOCKER_OR_OTHER in track.flags
    assert track.state is not S.DELIVERED


def test_three_attempts_are_flagged() -> None:
    """CR-9."""
    events = [_event(24 * day, Kind.ATTEMPT_FAILED, code=str(day)) for day in (1, 2)]
    assert rules.read_track(events, ordered_at=ORDERED, now=NOW, identity_ok=False).flags == frozenset()
    events.append(_event(60, Kind.ATTEMPT_FAILED, code="3"))
    assert rules.read_track(events, ordered_at=ORDERED, now=NOW, identity_ok=False).flags == {Flag.THREE_ATTEMPTS}


@pytest.mark.parametrize(
    ("hours", "kind", "flag"),
    [
        (24 * 3 + 1, Kind.SIGNED, Flag.FUTURE_TIME),
        (-24 * 90, Kind.SIGNED, Flag.BEFORE_ORDER),
        (2, Kind.OTHER, Flag.UNKNOWN_CODE),
    ],
)
def test_unusable_reports_are_left_out_and_flagged(hours: float, kind: Kind, flag: Flag) -> None:
    """CR-13, PEERS 4.7: a future time, a waybill used before, a code nobody knows."""
    track = rules.read_track([WAY[0], _event(hours, kind)], ordered_at=ORDERED, now=NOW, identity_ok=True)
    assert track.state is S.IN_TRANSIT
    assert track.flags == {flag}


@given(st.lists(st.tuples(st.integers(0, 70), st.sampled_from(list(Kind))), max_size=12))
def test_any_reports_give_a_state_the_table_allows(found: list[tuple[int, Kind]]) -> None:
    state = _state(*(_event(hours, kind) for hours, kind in found), identity_ok=True)
    assert state is None or state in rules.TRANSITIONS[S.ORDERED]


CARRIED = {S.HANDED_OVER, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.IDENTITY_CHECK, S.FAILED_ATTEMPT, S.HELD_AT_STATION,
           S.SIGNED_UNVERIFIED, S.RETURNING}  # fmt: skip
ENDS = {S.DELIVERED, S.RETURNED, S.LOST, S.DAMAGED}
ALLOWED = (
    {(S.REQUESTED, S.CONFIRMED), (S.REQUESTED, S.CANCELLED), (S.CONFIRMED, S.ORDERED), (S.CONFIRMED, S.CANCELLED)}
    | {(S.ORDERED, S.CANCELLED), (S.DELIVERED, S.RETURNING)}
    | {(before, after) for before in CARRIED | {S.ORDERED} for after in (CARRIED | ENDS) - {before}}
)


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_every_pair_of_states(before: State, after: State) -> None:
    if (before, after) in ALLOWED:
        rules.check_move(before, after)
    else:
        with pytest.raises(StateConflict):
            rules.check_move(before, after)


def test_changes_end_with_the_hand_over() -> None:
    """CR-1."""
    for state in State:
        if state in {S.REQUESTED, S.CONFIRMED, S.ORDERED}:
            rules.check_changeable(state)
        else:
            with pytest.raises(AlreadyHandedOver):
                rules.check_changeable(state)


@pytest.mark.parametrize(
    ("region", "served"), [("330212", True), ("110101", True), ("810000", False), ("710000", False)]
)
def test_served_regions(region: str, served: bool) -> None:
    """CR-3."""
    if served:
        rules.check_address(region)
    else:
        with pytest.raises(AddressNotServed):
            rules.check_address(region)


def test_every_state_has_a_label() -> None:
    assert set(rules.LABELS) == set(State)
