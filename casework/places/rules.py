"""When a hall is open (AP-4). Pure: days and times of Shanghai."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from core import clock
from core.errors import InvalidInput
from core.workdays import Calendar

Periods = tuple[tuple[time, time], ...]

MIDNIGHT = time.max
"""The end of the day as the end of a period, written 24:00: every moment of the day is before it."""
_MIDNIGHT = "24:00"

SEARCH_DAYS = 60
"""How far ahead the next open day is looked for; the longest holidays with closures around them are far shorter [D]."""

AHEAD_DAYS = 400
"""How far ahead a hall may say that a day is special: further is a slip in the year [D]."""

_NAMESPACE = UUID("6f0c9a54-6a3e-5d0b-9c1f-3d0c6f5a7e21")
_MONDAY = 1
_SATURDAY = 6


class Level(StrEnum):
    """The level of a hall (S12)."""

    CITY = "CITY"
    COUNTY = "COUNTY"
    TOWN = "TOWN"
    VILLAGE = "VILLAGE"


class WindowKind(StrEnum):
    """综合窗口 or 专窗."""

    COMBINED = "COMBINED"
    SPECIAL = "SPECIAL"


class WindowState(StrEnum):
    """Whether a window serves."""

    OPEN = "OPEN"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"


class Cause(StrEnum):
    """Why a hall is closed on a working day, or open or closed otherwise than the week says."""

    WEEKEND = "WEEKEND"
    HOLIDAY = "HOLIDAY"
    MAKE_UP_WORKDAY = "MAKE_UP_WORKDAY"
    EXCEPTION = "EXCEPTION"
    NO_HOURS = "NO_HOURS"


class Reach(StrEnum):
    """Where an item is handled (S12, S13): 全市通办, 属地, or the city's hall alone."""

    CITYWIDE = "CITYWIDE"
    LOCAL = "LOCAL"
    CITY_ONLY = "CITY_ONLY"


@dataclass(frozen=True, slots=True)
class Handled:
    """Where an item is handled; `region_code`: in this district alone (only with LOCAL, and only when it is one's own item)."""

    reach: Reach
    region_code: str | None = None


@dataclass(frozen=True, slots=True)
class Hall:
    """A hall. `region_code` is where it stands; `level` whom it serves."""

    id: UUID
    code: str
    name: str
    level: Level
    region_code: str
    address: str
    consult: str
    is_sample: bool


@dataclass(frozen=True, slots=True)
class Exceptional:
    """What holds for one day instead of the week; `reason_en` may be missing."""

    periods: Periods
    reason: str
    reason_en: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """One day of a hall. No periods: closed. `note` is the holiday's name or the exception's reason, `note_en` in English.

    `provisional`: no calendar is published for the day yet (K-10).
    """

    day: date
    periods: Periods
    cause: Cause | None
    note: str
    provisional: bool
    note_en: str = ""

    @property
    def open(self) -> bool:
        """Whether the hall opens at all that day."""
        return bool(self.periods)


def hall_id(code: str) -> UUID:
    """The key of the hall with this code; the same in every installation."""
    return uuid5(_NAMESPACE, code)


def window_id(hall_code: str, window_code: str) -> UUID:
    """The key of a window of a hall."""
    return uuid5(_NAMESPACE, f"{hall_code}/{window_code}")


def opening(day: date, calendar: Calendar, week: Mapping[int, Periods], exception: Exceptional | None) -> Opening:
    """When a hall with the hours of `week` (1 = Monday) is open on `day` (AP-4).

    Working days by the published calendar, make-up weekends with Monday's hours unless they have their own [D]; an
    exception overrides all of it.
    """
    known = calendar.day(day)
    provisional = not known.published
    weekday = day.isoweekday()
    if exception is not None:
        return Opening(
            day, exception.periods, Cause.EXCEPTION, exception.reason, provisional, note_en=exception.reason_en
        )
    if not known.is_workday:
        cause = Cause.HOLIDAY if known.name else Cause.WEEKEND
        return Opening(day, (), cause, known.name, provisional)
    if weekday >= _SATURDAY:
        return Opening(day, week.get(weekday, week.get(_MONDAY, ())), Cause.MAKE_UP_WORKDAY, known.name, provisional)
    periods = week.get(weekday, ())
    return Opening(day, periods, None if periods else Cause.NO_HOURS, "", provisional)


def next_open(
    after: date, calendar: Calendar, week: Mapping[int, Periods], exceptions: Mapping[date, Exceptional]
) -> Opening | None:
    """The first open day after `after`, or None within `SEARCH_DAYS`."""
    for ahead in range(1, SEARCH_DAYS + 1):
        day = after + timedelta(days=ahead)
        found = opening(day, calendar, week, exceptions.get(day))
        if found.open:
            return found
    return None


def special_days(first: date, last: date | None, today: date) -> list[date]:
    """The days from `first` to `last` (None: `first` alone). Raises `InvalidInput` when they aren't days ahead in order."""
    if first < today:
        raise InvalidInput(fields={"day": ["不能早于今天 / not before today"]})
    end = first if last is None else last
    if end < first:
        raise InvalidInput(fields={"until": ["不能早于开始日期 / not before the first day"]})
    if end > today + timedelta(days=AHEAD_DAYS):
        told = f"最多提前{AHEAD_DAYS}天 / at most {AHEAD_DAYS} days ahead"
        raise InvalidInput(fields={"day" if last is None else "until": [told]})
    return [first + timedelta(days=ahead) for ahead in range((end - first).days + 1)]


def check_periods(periods: Sequence[tuple[time, time]]) -> Periods:
    """The periods in order. Raises `InvalidInput` when one ends before it begins or two overlap."""
    ordered = tuple(sorted(periods))
    for opens, closes in ordered:
        if opens >= closes:
            raise InvalidInput(fields={"periods": ["结束时间须晚于开始时间 / must end after it begins"]})
    for (_, closes), (opens, _) in itertools.pairwise(ordered):
        if opens < closes:
            raise InvalidInput(fields={"periods": ["时段不能重叠 / periods overlap"]})
    return ordered


def read_time(written: str) -> time:
    """A time of day as it is kept, 24:00 too. Raises `ValueError`."""
    return MIDNIGHT if written == _MIDNIGHT else time.fromisoformat(written)


def written_time(found: time) -> str:
    """A time of day as it is kept and answered: "09:00", "24:00"."""
    return _MIDNIGHT if found == MIDNIGHT else f"{found:%H:%M}"


def read_periods(written: Iterable[Sequence[str]]) -> Periods:
    """Periods as they are kept: [["09:00", "12:00"], …]."""
    return tuple((read_time(opens), read_time(closes)) for opens, closes in written)


def written_periods(periods: Iterable[tuple[time, time]]) -> list[list[str]]:
    """The other way round to `read_periods`."""
    return [[written_time(opens), written_time(closes)] for opens, closes in periods]


def moment_of(day: date, found: time) -> datetime:
    """The moment of a time of day in Shanghai, which has no summer time; `MIDNIGHT` is the next day's first."""
    if found == MIDNIGHT:
        return datetime.combine(day + timedelta(days=1), time.min, clock.SHANGHAI)
    return datetime.combine(day, found, clock.SHANGHAI)


_CAUSES = {
    Cause.WEEKEND: ("周末", "Weekend"),
    Cause.HOLIDAY: ("法定节假日", "Public holiday"),
    Cause.MAKE_UP_WORKDAY: ("调休上班", "Make-up working day"),
    Cause.EXCEPTION: ("临时安排", "Special arrangement"),
    Cause.NO_HOURS: ("当日不办公", "No hours on this weekday"),
}


REACHES = {
    Reach.CITYWIDE: ("全市通办，可到任一设有该分区的大厅办理", "At any hall of the city that has the zone"),
    Reach.LOCAL: ("属地办理，请到当地的大厅或便民服务点", "Only at the halls and service points of the district"),
    Reach.CITY_ONLY: ("仅在市级行政服务中心办理", "Only at the city's own hall"),
}
"""What the citizen reads, in Chinese and English."""

NOTHING_HERE = {
    "zh": "没有符合条件的地点。请扩大范围、减少筛选条件（如“正在营业”），或拨打12345（外地0574-12345）咨询。",
    "en": "No place matches. Look further away, ask for less (such as open now), or call 12345 (0574-12345 from elsewhere).",
}


def handled(*, scope: str | None, reserved: bool, elsewhere: bool, region_code: str | None) -> Handled:
    """Where an item is handled, from what is written down of it.

    `scope`: CITYWIDE, LOCAL or nothing; `reserved` to the city; `elsewhere`: its elements name a range wider than the
    district (通办范围); `region_code`: the district of its authority, None for one of the city.
    """
    if reserved:
        return Handled(Reach.CITY_ONLY)
    if scope == Reach.CITYWIDE or (scope is None and (elsewhere or region_code is None)):
        return Handled(Reach.CITYWIDE)
    return Handled(Reach.LOCAL, region_code)


def cause_text(found: Opening, language: str) -> str:
    """Why that day is as it is, for people; empty on an ordinary day."""
    if found.cause is None:
        return ""
    zh, en = _CAUSES[found.cause]
    if language == "en":
        note = found.note_en or found.note
        return f"{en}: {note}" if note else en
    return f"{zh}：{found.note}" if found.note else zh
