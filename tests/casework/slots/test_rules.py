"""Capacity, release and reserve (AP-1 … AP-6)."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.places.rules import moment_of, read_periods
from casework.slots import rules
from casework.slots.rules import HallPolicy, Room, Sitting
from core.clock import SHANGHAI
from core.errors import InvalidInput
from core.workdays import Calendar, Day

POLICY = HallPolicy()
HOURS = ((time(9), time(12)), (time(13, 30), time(17)))


def autumn() -> Calendar:
    """2026 around 国庆: 1–7 October off, Saturday 10 October and Sunday 20 September worked."""
    off = {date(2026, 9, 25), *(date(2026, 10, n) for n in range(1, 8))}
    made_up = {date(2026, 9, 20), date(2026, 10, 10)}
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    return Calendar(Day(day, day in made_up or (day.weekday() < 5 and day not in off)) for day in days)


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def room(**changed: int) -> Room:
    values = {
        "planned_minutes": 288,
        "used_minutes": 0,
        "reserved_minutes": 28,
        "entitled_minutes": 0,
        "released_minutes": 0,
    }
    return Room(reserved_until=at(9, 23, 15), **values | changed)


def test_property_has_eleven_places() -> None:
    """AP-2: 16 windows × 30 ÷ 25 × 0.6 → 11."""
    assert rules.capacity(16, 30, 60) == 288
    assert rules.capacity(16, 30, 60) // 25 == 11


@settings(deadline=None)
@given(
    windows=st.integers(0, 200),
    slot=st.integers(5, 240),
    percent=st.integers(0, 100),
    average=st.integers(1, 120),
)
def test_minutes_give_the_places_of_the_formula(windows: int, slot: int, percent: int, average: int) -> None:
    """AP-2's one floor and our two give the same number of places, for every item."""
    assert rules.capacity(windows, slot, percent) // average == windows * slot * percent // (100 * average)


def test_a_reviewed_case_takes_sixty_percent() -> None:
    assert rules.minutes_needed(25, prereviewed=False, policy=POLICY) == 25
    assert rules.minutes_needed(25, prereviewed=True, policy=POLICY) == 15
    assert rules.minutes_needed(8, prereviewed=True, policy=POLICY) == 5  # 4.8 is rounded up: never a minute oversold
    assert rules.minutes_needed(0, prereviewed=True, policy=POLICY) == 1


def test_an_open_day_has_thirteen_half_hours() -> None:
    slots = rules.plan(date(2026, 9, 24), HOURS, windows=16, slot_minutes=30, percent=60, reserved_percent=10)
    assert [f"{slot.starts_at:%H:%M}" for slot in slots[:3]] == ["09:00", "09:30", "10:00"]
    assert (len(slots), slots[-1].ends_at) == (13, at(9, 24, 17))
    assert {(slot.minutes, slot.reserved_minutes, slot.physical_minutes) for slot in slots} == {(288, 28, 480)}


def test_what_is_left_of_a_period_is_no_slot() -> None:
    slots = rules.plan(
        date(2026, 9, 24), ((time(9), time(10, 20)),), windows=1, slot_minutes=30, percent=100, reserved_percent=0
    )
    assert len(slots) == 2
    assert rules.plan(date(2026, 9, 24), (), windows=9, slot_minutes=30, percent=60, reserved_percent=0) == ()


def test_the_last_slot_of_an_evening_ends_at_midnight() -> None:
    evening = read_periods([["23:00", "24:00"]])
    slots = rules.plan(date(2026, 9, 24), evening, windows=1, slot_minutes=30, percent=100, reserved_percent=0)
    assert [slot.ends_at for slot in slots] == [
        moment_of(date(2026, 9, 24), time(23, 30)),
        moment_of(date(2026, 9, 25), time(0)),
    ]
    assert rules.within(read_periods([["20:00", "24:00"]]), evening) == evening


def test_a_plan_opens_nothing_that_is_closed() -> None:
    morning = ((time(9), time(12)),)
    assert rules.within(((time(8), time(18)),), HOURS) == HOURS
    assert rules.within(((time(11), time(14)),), HOURS) == ((time(11), time(12)), (time(13, 30), time(14)))
    assert rules.within(((time(14), time(15)),), morning) == ()


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (at(9, 21, 7, 59), date(2026, 9, 28)),  # before 8:00 as on the day before, a working Sunday
        (at(9, 21, 8), date(2026, 9, 29)),  # 09-25 is off
        (at(9, 24, 8), date(2026, 10, 9)),  # across 国庆: 28, 29, 30 September, 8, 9 October
        (at(9, 26, 12), date(2026, 10, 9)),  # a Saturday opens no new day
        (at(10, 3, 12), date(2026, 10, 13)),  # in the holidays: 8, 9, 10 (Saturday), 12, 13 October
        (at(10, 9, 7, 59), date(2026, 10, 14)),
        (at(10, 9, 8), date(2026, 10, 15)),  # a make-up Saturday counts
    ],
)
def test_five_working_days_are_released(now: datetime, last: date) -> None:
    assert rules.last_released_day(now, POLICY, autumn()) == last


def test_tomorrow_is_the_first_day() -> None:
    now = at(9, 22, 10)
    days = autumn()
    assert not rules.is_released(at(9, 22, 16), now, POLICY, days)
    assert rules.is_released(at(9, 23, 9), now, POLICY, days)
    assert rules.is_released(at(9, 30, 9), now, POLICY, days)
    assert not rules.is_released(at(10, 8, 9), now, POLICY, days)
    assert not rules.is_released(at(9, 21, 9), now, POLICY, days)


def test_a_new_day_opens_at_eight_in_shanghai() -> None:
    opens = datetime(2026, 9, 22, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
    days = autumn()
    assert rules.is_released(at(9, 30, 9), opens, POLICY, days)
    assert not rules.is_released(at(9, 30, 9), opens - timedelta(seconds=1), POLICY, days)


def test_a_hall_may_allow_the_same_day_until_an_hour_before() -> None:
    policy = POLICY.with_overrides({"same_day": True})
    assert rules.is_released(at(9, 22, 10), at(9, 22, 9), policy, autumn())
    assert not rules.is_released(at(9, 22, 10), at(9, 22, 9, 1), policy, autumn())


@pytest.mark.parametrize(
    ("day", "free"),
    [
        (date(2026, 9, 24), at(9, 23, 15)),
        (date(2026, 9, 21), at(9, 20, 15)),  # the Sunday before is a working day
        (date(2026, 10, 8), at(9, 30, 15)),
        (date(2026, 9, 28), at(9, 24, 15)),
    ],
)
def test_the_reserve_is_free_the_afternoon_of_the_working_day_before(day: date, free: datetime) -> None:
    assert rules.reserved_until(day, POLICY, autumn()) == free


def test_the_reserve_is_for_the_entitled_until_then() -> None:
    before, after = at(9, 23, 14, 59), at(9, 23, 15)
    assert rules.places(room(), before, 25, entitled=False) == 10
    assert rules.places(room(), before, 25, entitled=True) == 11
    assert rules.places(room(), after, 25, entitled=False) == 11


def test_the_entitled_use_the_reserve_first() -> None:
    """One old person's booking must not make the general share smaller."""
    taken = room(used_minutes=25, entitled_minutes=25)
    assert rules.room(taken, at(9, 22, 9), entitled=False) == 288 - 28 + 25 - 25


def test_holds_that_ran_out_are_room() -> None:
    full = room(used_minutes=288)
    assert rules.room(full, at(9, 23, 16), entitled=False) == 0
    assert rules.room(room(used_minutes=288, released_minutes=50), at(9, 23, 16), entitled=False) == 50


def test_room_is_never_negative() -> None:
    assert rules.room(room(planned_minutes=100, used_minutes=288), at(9, 23, 16), entitled=True) == 0


def sitting(key: str, minute: int, *, entitled: bool = False, minutes: int = 25) -> Sitting:
    return Sitting(key, minutes, entitled, at(9, 20, 9, minute))


def test_the_latest_booked_move_first_and_the_entitled_never() -> None:
    people = [sitting("first", 1), sitting("old", 9, entitled=True), sitting("second", 2), sitting("third", 3)]
    assert [one.key for one in rules.whom_to_move(people, 30)] == ["third", "second"]
    assert [one.key for one in rules.whom_to_move(people, 25)] == ["third"]
    assert rules.whom_to_move(people, 0) == []
    assert [one.key for one in rules.whom_to_move(people, 1_000)] == ["third", "second", "first"]


def test_overrides() -> None:
    policy = POLICY.with_overrides({"hold_minutes": 10, "release_at": "07:30", "same_day": True})
    assert (policy.hold_minutes, policy.release_at, policy.same_day) == (10, time(7, 30), True)
    assert policy.slot_minutes == POLICY.slot_minutes


@pytest.mark.parametrize(
    "wrong",
    [
        {"holds": 5},
        {"hold_minutes": "5"},
        {"hold_minutes": -1},
        {"hold_minutes": True},
        {"hold_minutes": 1e9},
        {"release_at": 8},
        {"release_at": "8 o'clock"},
        {"same_day": 1},
        {"same_day": None},
        # A day of slots without length would never be full; more than all windows don't exist.
        {"slot_minutes": 0},
        {"booking_percent": 101},
        {"reserved_percent": 900},
        {"release_at": "08:00+05:00"},
    ],
)
def test_wrong_overrides_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        POLICY.with_overrides(wrong)
    assert list(refused.value.fields) == list(wrong)
