"""The legal clock (DOMAIN 2.5, K-1…K-10): working days, limits, suspensions, due dates and colours.

All functions are pure: days in Asia/Shanghai and a `Calendar` of published days come in, values come out. A day that
no published calendar covers is taken as a working day from Monday to Friday, and every due date that rests on such a
day says PROVISIONAL (K-10). For a date that people see or rights depend on use `due_date`, which carries that status;
`add_workdays` and `workdays_between` are its bare arithmetic.
"""

from __future__ import annotations

import calendar as gregorian
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from core import clock

ONLINE_CUTOFF = time(17)
AMBER_WORKDAYS = 1
AMBER_PERCENT = 20

_ONE = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Day:
    """One day: whether people work, the holiday's name (a make-up day bears the name too), whether it is published."""

    day: date
    is_workday: bool
    name: str = ""
    published: bool = True


class Calendar:
    """The published days (K-1). Immutable; made once per load and shared by threads."""

    def __init__(self, days: Iterable[Day]) -> None:
        self._days = {day.day: day for day in days}
        sizes = Counter(day.year for day in self._days)
        self.published_years = frozenset(y for y, size in sizes.items() if size == 365 + gregorian.isleap(y))

    def day(self, day: date) -> Day:
        """What is known of `day`; an unpublished one follows the week and has `published=False` (K-10)."""
        return self._days.get(day) or Day(day, day.weekday() < _SATURDAY, published=False)


class Unit(StrEnum):
    """The unit of a limit (DOMAIN 2.2)."""

    WORKDAY = "WORKDAY"
    NATURAL_DAY = "NATURAL_DAY"
    MONTH = "MONTH"
    YEAR = "YEAR"


@dataclass(frozen=True, slots=True)
class Limit:
    """How long something may take. 0 means at once (即办). Raises `ValueError` below 0."""

    value: int
    unit: Unit = Unit.WORKDAY

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("a limit can't be negative")


@dataclass(frozen=True, slots=True)
class Pause:
    """A suspension (特别程序, K-5): `start` still counts, `end` (the day it resumes) doesn't; None while it lasts."""

    start: date
    end: date | None
    reason: str


class CalendarStatus(StrEnum):
    """Whether a date can still move because a calendar is missing (K-10)."""

    FIRM = "FIRM"
    PROVISIONAL = "PROVISIONAL"


class SegmentKind(StrEnum):
    """Why days of a reckoning are worth telling the citizen."""

    WEEKEND = "WEEKEND"
    HOLIDAY = "HOLIDAY"
    MAKE_UP_WORKDAY = "MAKE_UP_WORKDAY"
    PAUSE = "PAUSE"
    UNPUBLISHED = "UNPUBLISHED"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of days, both ends included, that shaped the due date; `name` is the holiday or the pause's reason."""

    start: date
    end: date
    kind: SegmentKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class DueDate:
    """The last day of a limit, how sure it is, how it came about, and how many working days ran on the clock."""

    day: date
    status: CalendarStatus
    workdays: int
    explanation: tuple[Segment, ...]

    @property
    def moment(self) -> datetime:
        """24:00 of the due day in Shanghai: the first moment that is too late (K-3)."""
        return clock.day_start(self.day + _ONE)


class Colour(StrEnum):
    """How a running case stands (K-6)."""

    GREEN = "GREEN"
    AMBER = "AMBER"
    RED = "RED"
    BLACK = "BLACK"


def is_workday(day: date, calendar: Calendar) -> bool:
    """Whether `day` is a working day (K-1)."""
    return calendar.day(day).is_workday


def add_workdays(start: date, n: int, calendar: Calendar) -> date:
    """The `n`-th working day after `start`, which itself is day 0 (K-2); for n = 0 the first one from `start` on.

    Raises `ValueError` for a negative `n`.
    """
    if n < 0:
        raise ValueError("can't count working days backwards")
    day = start
    if n == 0:
        while not is_workday(day, calendar):
            day += _ONE
        return day
    while n:
        day += _ONE
        n -= is_workday(day, calendar)
    return day


def workdays_between(a: date, b: date, calendar: Calendar) -> int:
    """Working days in (a, b]; negative when b is before a, so that "days left" turns into days overdue."""
    if b < a:
        return -workdays_between(b, a, calendar)
    return sum(is_workday(a + timedelta(days=i), calendar) for i in range(1, (b - a).days + 1))


def acceptance_day(moment: datetime, calendar: Calendar, *, online: bool, cutoff: time = ONLINE_CUTOFF) -> date:
    """Day 0 of the clock for something accepted at `moment` (aware) (K-2).

    Online acceptance after `cutoff` (Shanghai) or on a rest day counts as the next working day; at a window the day is
    the day. Raises `ValueError` for a naive moment (K-11).
    """
    if moment.tzinfo is None:
        raise ValueError("the moment needs a time zone")
    local = clock.local(moment)
    day = local.date()
    if not online:
        return day
    return add_workdays(day, 1 if local.time() > cutoff else 0, calendar)


def due_date(accepted: date, limit: Limit, pauses: Sequence[Pause], calendar: Calendar) -> DueDate:
    """The due day of `limit` counted from `accepted` (day 0), with `pauses` in order (K-2, K-4, K-5, K-8, K-10).

    Working-day limits: what was worked before a pause stays worked, the rest is counted from the day of resumption.
    Other limits: the last day moves by the length of the pause; a last day that is a rest day moves to the next working
    day. A pause that begins after the due day changes nothing: the limit was over. Raises `ValueError` for pauses that
    overlap, begin before `accepted`, or are still open (a suspended case has no due date until it resumes).
    """
    walk = _Walk(calendar)
    anchor = accepted
    left = limit.value
    last = _last_day(accepted, limit)
    for pause in pauses:
        if pause.end is None:
            raise ValueError("a limit has no due date while it is suspended")
        if pause.start < anchor or pause.end < pause.start:
            raise ValueError("pauses must follow one another after the acceptance day")
        if limit.unit is Unit.WORKDAY:
            if pause.start > add_workdays(anchor, left, calendar):
                break
            left -= walk.through(anchor, pause.start)
        else:
            if pause.start > add_workdays(last, 0, calendar):
                break
            last = pause.end + max(last - pause.start, timedelta())
            walk.workdays += workdays_between(anchor, pause.start, calendar)
        walk.pause(pause.start, pause.end, pause.reason)
        anchor = pause.end
    if limit.unit is Unit.WORKDAY:
        due = add_workdays(anchor, left, calendar)
        # Without a day left to count, only the rest days from the anchor on explain the date.
        walk.through(anchor if left else anchor - _ONE, due)
        workdays = limit.value
    else:
        due = add_workdays(last, 0, calendar)
        workdays = walk.workdays + workdays_between(anchor, due, calendar)
        walk.through(last - _ONE, due)
    status = CalendarStatus.PROVISIONAL if walk.provisional else CalendarStatus.FIRM
    return DueDate(due, status, workdays, tuple(walk.segments))


def elapsed_workdays(accepted: date, day: date, pauses: Sequence[Pause], calendar: Calendar) -> int:
    """Working days that ran on the clock in (accepted, day], pauses left out, an open one included (K-5, K-7)."""
    total = workdays_between(accepted, day, calendar)
    for pause in pauses:
        end = day if pause.end is None else min(pause.end, day)
        if pause.start < end:
            total -= workdays_between(pause.start, end, calendar)
    return total


def clock_colour(
    today: date,
    *,
    promised: date,
    legal: date | None,
    promise_workdays: int,
    calendar: Calendar,
    amber_workdays: int = AMBER_WORKDAYS,
    amber_percent: int = AMBER_PERCENT,
) -> Colour:
    """How a running case stands at `today` (K-6).

    Amber with `amber_workdays` or `amber_percent` of the promise left, whichever is longer; red past the promise; black
    past the law. `promise_workdays` is `DueDate.workdays` of the promise. A suspended case has no colour: don't ask.
    """
    if legal is not None and today > legal:
        return Colour.BLACK
    if today > promised:
        return Colour.RED
    left = workdays_between(today, promised, calendar)
    if left <= amber_workdays or left * 100 <= amber_percent * promise_workdays:
        return Colour.AMBER
    return Colour.GREEN


def _last_day(accepted: date, limit: Limit) -> date:
    """The last day of a limit in natural days, months or years, before rest days and pauses (K-4, K-8)."""
    if limit.unit in {Unit.MONTH, Unit.YEAR}:
        months = limit.value * (12 if limit.unit is Unit.YEAR else 1)
        year, month = divmod(accepted.year * 12 + accepted.month - 1 + months, 12)
        return date(year, month + 1, min(accepted.day, gregorian.monthrange(year, month + 1)[1]))
    return accepted + timedelta(days=limit.value)


class _Walk:
    """Collects what the days of a reckoning were."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.segments: list[Segment] = []
        self.provisional = False
        self.workdays = 0

    def through(self, start: date, end: date) -> int:
        """Note the days in (start, end]; returns how many of them were working days."""
        worked = 0
        for offset in range(1, (end - start).days + 1):
            day = self.calendar.day(start + timedelta(days=offset))
            worked += day.is_workday
            self._note(day)
        return worked

    def pause(self, start: date, end: date, reason: str) -> None:
        """Note a pause: the days in (start, end]."""
        if start < end:
            self.segments.append(Segment(start + _ONE, end, SegmentKind.PAUSE, reason))

    def _note(self, day: Day) -> None:
        if not day.published:
            self.provisional = True
            kind, name = SegmentKind.UNPUBLISHED, ""
        elif not day.is_workday:
            kind, name = (SegmentKind.HOLIDAY, day.name) if day.name else (SegmentKind.WEEKEND, "")
        elif day.day.weekday() >= _SATURDAY:
            kind, name = SegmentKind.MAKE_UP_WORKDAY, day.name
        else:
            return
        previous = self.segments[-1] if self.segments else None
        if previous and (previous.kind, previous.name, previous.end + _ONE) == (kind, name, day.day):
            self.segments[-1] = replace(previous, end=day.day)
        else:
            self.segments.append(Segment(day.day, day.day, kind, name))
