"""Slot capacity, release and the numbers a hall books by (AP-1 … AP-6). Pure: `now` and days are passed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any, NoReturn

from casework.places.rules import moment_of
from core import clock
from core.errors import InvalidInput
from core.workdays import Calendar, add_workdays, is_workday

Periods = tuple[tuple[time, time], ...]

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HallPolicy:
    """The numbers DOMAIN 3.2 marks [D]: these defaults, then the table `booking_policy` for all halls, then for one.

    Minutes, percents, working days and counts, as named.
    """

    # Slots: AP-1, AP-3, AP-5, AP-6
    slot_minutes: int = 30
    booking_percent: int = 60
    prereviewed_percent: int = 60
    reserved_percent: int = 10
    reserved_free_at: time = time(15)
    release_workdays: int = 5
    release_at: time = time(8)
    same_day: bool = False
    same_day_lead_minutes: int = 60
    generate_workdays: int = 10
    # Booking: AP-8, AP-10, AP-13, AP-14, AP-15
    live_per_person: int = 3
    per_hall_a_day: int = 1
    live_per_phone: int = 3
    per_agent_a_day: int = 5
    cancels_a_day: int = 3
    hold_minutes: int = 5
    free_changes: int = 1
    cancel_lead_minutes: int = 120
    rebook_days: int = 10
    reminder_evening: time = time(18)
    reminder_lead_minutes: int = 120
    elder_age: int = 70
    # No-shows, in halves because a late cancellation is half of one: AP-14, AP-22
    warn_halves: int = 4
    block_halves: int = 6
    strike_days: int = 90
    block_days: int = 30
    # Arrival and queue: AP-16 … AP-19
    check_in_early_minutes: int = 30
    check_in_late_minutes: int = 15
    check_in_last_minutes: int = 60
    booked_in_a_row: int = 3
    calls_before_pass: int = 3
    call_gap_seconds: int = 60
    return_minutes: int = 30
    return_after_calls: int = 3

    def with_overrides(self, values: Mapping[str, Any]) -> HallPolicy:
        """This policy with some numbers replaced; times as "HH:MM", numbers within `BOUNDS`.

        Raises `InvalidInput` for unknown names and values that make no sense.
        """
        kinds = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        read: dict[str, Any] = {}
        faults: dict[str, list[str]] = {}
        for name, value in values.items():
            try:
                read[name] = _read(name, kinds[name], value)
            except (KeyError, ValueError):
                faults[name] = ["没有这个参数或取值不对 / no such number, or not a value for it"]
        if faults:
            raise InvalidInput(fields=faults)
        return replace(self, **read)


BOUNDS = {
    "slot_minutes": (5, 240),
    "booking_percent": (0, 100),
    "prereviewed_percent": (1, 100),
    "reserved_percent": (0, 100),
    "release_workdays": (1, 60),
    "generate_workdays": (1, 60),
    "hold_minutes": (1, 60),
    "elder_age": (50, 120),
    "calls_before_pass": (1, 10),
}
"""Least and most of the numbers that not every whole number from 0 to 1,000 makes sense for."""


def _read(name: str, kind: type, value: Any) -> Any:
    if kind is time:
        read = time.fromisoformat(value) if isinstance(value, str) else _refuse()
        return read if read.tzinfo is None else _refuse()
    if type(value) is not kind:
        _refuse()
    low, high = BOUNDS.get(name, (0, 1_000))
    if type(value) is int and not low <= value <= high:
        _refuse()
    return value


def _refuse() -> NoReturn:
    raise ValueError


@dataclass(frozen=True, slots=True)
class Planned:
    """One slot a plan gives. `minutes` may be booked; `physical_minutes` is all the windows can do in that time."""

    starts_at: datetime
    ends_at: datetime
    minutes: int
    reserved_minutes: int
    physical_minutes: int


@dataclass(frozen=True, slots=True)
class Room:
    """What one slot has left. `released_minutes` are those of holds that have run out but still stand in the counter."""

    planned_minutes: int
    used_minutes: int
    reserved_minutes: int
    entitled_minutes: int
    reserved_until: datetime
    released_minutes: int = 0


def capacity(windows: int, slot_minutes: int, percent: int) -> int:
    """Minutes of window time that may be booked (AP-2): ⌊windows × slot minutes × share⌋.

    Its floor by an item's minutes is AP-2's number of places: ⌊⌊16 × 30 × 60 %⌋ ÷ 25⌋ = 11.
    """
    return windows * slot_minutes * percent // 100


def minutes_needed(average: int, *, prereviewed: bool, policy: HallPolicy) -> int:
    """Minutes one booking takes (AP-3): the item's average, or a share of it when its papers were reviewed. Never below 1."""
    if not prereviewed:
        return max(1, average)
    return max(1, -(-average * policy.prereviewed_percent // 100))


def plan(
    day: date, periods: Periods, *, windows: int, slot_minutes: int, percent: int, reserved_percent: int
) -> tuple[Planned, ...]:
    """The slots of one open day (AP-1): whole slots only, so a period's rest shorter than a slot isn't bookable."""
    minutes = capacity(windows, slot_minutes, percent)
    reserved = minutes * reserved_percent // 100
    length = timedelta(minutes=slot_minutes)
    found = []
    for opens, closes in periods:
        starts = moment_of(day, opens)
        ends = moment_of(day, closes)
        while starts + length <= ends:
            found.append(Planned(starts, starts + length, minutes, reserved, windows * slot_minutes))
            starts += length
    return tuple(found)


def within(periods: Periods, bounds: Periods) -> Periods:
    """The parts of `periods` inside `bounds`: a plan can't open a hall that is closed (AP-4)."""
    parts = ((max(opens, first), min(closes, last)) for opens, closes in periods for first, last in bounds)
    return tuple(sorted((opens, closes) for opens, closes in parts if opens < closes))


def last_released_day(now: datetime, policy: HallPolicy, calendar: Calendar) -> date:
    """The last day open for booking (AP-5): `release_workdays` ahead; a new day opens at `release_at` on a working day."""
    local = clock.local(now)
    base = local.date() if local.time() >= policy.release_at else local.date() - _ONE_DAY
    return add_workdays(base, policy.release_workdays, calendar)


def horizon(now: datetime, policy: HallPolicy, calendar: Calendar) -> date:
    """The last day for which slots are made ahead."""
    return add_workdays(clock.local(now).date(), policy.generate_workdays, calendar)


def is_released(starts_at: datetime, now: datetime, policy: HallPolicy, calendar: Calendar) -> bool:
    """Whether a slot may be booked online now (AP-5): from tomorrow on; today only where the hall allows it, an hour ahead."""
    today, day = clock.local(now).date(), clock.local(starts_at).date()
    if day > today:
        return day <= last_released_day(now, policy, calendar)
    if day < today or not policy.same_day:
        return False
    return now <= starts_at - timedelta(minutes=policy.same_day_lead_minutes)


def reserved_until(day: date, policy: HallPolicy, calendar: Calendar) -> datetime:
    """When a day's reserved places are free to all (AP-6): in the afternoon of the working day before."""
    before = day - _ONE_DAY
    while not is_workday(before, calendar):
        before -= _ONE_DAY
    return datetime.combine(before, policy.reserved_free_at, clock.SHANGHAI)


def room(slot: Room, now: datetime, *, entitled: bool) -> int:
    """Minutes that may still be booked (AP-6). The hotline, the old and the disabled (`entitled`) may use the reserve too.

    Never negative: a plan made smaller leaves booked slots overfull.
    """
    left = slot.planned_minutes - slot.used_minutes + slot.released_minutes
    if not entitled and now < slot.reserved_until:
        left -= max(0, slot.reserved_minutes - slot.entitled_minutes)
    return max(0, left)


def places(slot: Room, now: datetime, minutes: int, *, entitled: bool) -> int:
    """How many bookings of `minutes` each still fit."""
    return room(slot, now, entitled=entitled) // minutes


@dataclass(frozen=True, slots=True)
class Sitting:
    """One booking in a slot that has become too small."""

    key: Any
    minutes: int
    entitled: bool
    booked_at: datetime


def whom_to_move(sitting: Iterable[Sitting], over_minutes: int) -> list[Sitting]:
    """Whom the hall must move when windows fall out: the latest booked first, the entitled never (AP-6, AP-15).

    `over_minutes` is what is booked beyond all the windows can do; while that is not above 0 the walk-in share gives way.
    """
    moved = []
    for one in sorted(sitting, key=lambda one: one.booked_at, reverse=True):
        if over_minutes <= 0:
            break
        if not one.entitled:
            moved.append(one)
            over_minutes -= one.minutes
    return moved
