"""Proposals, what days a publication may say, and when a year is overdue. Pure."""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from casework.calendars.faults.rules import Fault
from core.workdays import Calendar, Day

_SATURDAY = 5


class State(StrEnum):
    """What became of a proposal."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class CalendarPolicy:
    """Numbers and names that a calendar is judged by [D].

    `overdue_*`: from which day of a year on the next one is overdue; the State Council's notice comes in October or
    November. `holidays`: what the rest days of a whole year must bear the name of, from which year on. `fixed`: statutory
    holidays by the sun (month, day, from which year on), which no notice makes a working day. `years_ahead`: a day further
    ahead than that is a slip of the pen.
    """

    overdue_month: int = 12
    overdue_day: int = 1
    first_year: int = 2000
    years_ahead: int = 2
    holidays: tuple[tuple[str, int], ...] = (
        ("元旦", 2000), ("春节", 2000), ("清明", 2008), ("劳动", 2000), ("端午", 2008), ("中秋", 2008), ("国庆", 2000),
    )  # fmt: skip
    fixed: tuple[tuple[int, int, int], ...] = (
        (1, 1, 2000), (5, 1, 2000), (5, 2, 2025), (10, 1, 2000), (10, 2, 2000), (10, 3, 2000),
    )  # fmt: skip


POLICY = CalendarPolicy()


@dataclass(frozen=True, slots=True)
class Row:
    """A day as a file or a form says it. `number`: the row, line or position it stands at."""

    number: int
    day: date
    is_workday: bool
    name: str


def missing_year(today: date, calendar: Calendar, policy: CalendarPolicy = POLICY) -> int | None:
    """The year that should be published by now and isn't: this one, or after the usual publication the next one."""
    if today.year not in calendar.published_years:
        return today.year
    overdue = (today.month, today.day) >= (policy.overdue_month, policy.overdue_day)
    return today.year + 1 if overdue and today.year + 1 not in calendar.published_years else None


def whole_year(year: int) -> Iterator[Day]:
    """The days of a year without holidays: Monday to Friday are worked."""
    day = date(year, 1, 1)
    while day.year == year:
        yield Day(day, day.weekday() < _SATURDAY)
        day += timedelta(days=1)


def is_plain(day: Day) -> bool:
    """Whether there is nothing to tell of a day: an unnamed one that follows the week."""
    return not day.name and day.is_workday == (day.day.weekday() < _SATURDAY)


def settle(
    rows: Sequence[Row],
    *,
    year: int | None,
    published: Calendar,
    today: date,
    unread: Sequence[Fault] = (),
    policy: CalendarPolicy = POLICY,
) -> tuple[list[Day], list[Fault]]:
    """The days that `rows` publish, and everything that is wrong with them, in the order of the rows.

    With `year`, the rows say what is special in it, and every other day of it is plain: all of the year is published.
    Without, the rows alone are, which only a year that is published already, or all of its 365 or 366 rows, allow (K-10).
    `unread`: what is wrong with rows that couldn't be read. Then nobody can say what a whole year lacks.
    """
    faults = sorted([*unread, *_row_faults(rows, year, today, policy)], key=lambda one: one.row or 0)
    if unread:
        return [], faults
    said = {row.day: Day(row.day, row.is_workday, row.name) for row in rows}
    if year is not None:
        days = [said.get(plain.day, plain) for plain in whole_year(year)]
        return days, [*faults, *_year_faults(year, days, rows, policy)]
    for new in sorted({day.year for day in said} - published.published_years):
        of_year = [day for day in said.values() if day.day.year == new]
        if len(of_year) == 365 + gregorian.isleap(new):
            faults += _year_faults(new, of_year, rows, policy)
        else:
            faults.append(Fault("YEAR_NOT_PUBLISHED", params={"year": new}))
    return list(said.values()), faults


def _row_faults(rows: Sequence[Row], year: int | None, today: date, policy: CalendarPolicy) -> Iterator[Fault]:
    first: dict[date, int] = {}
    latest = today.year + policy.years_ahead
    for row in rows:
        if row.day in first:
            yield Fault("DAY_TWICE", row.number, "day", {"day": row.day, "first": first[row.day]})
        first.setdefault(row.day, row.number)
        if year is not None and row.day.year != year:
            yield Fault("DAY_OUTSIDE_YEAR", row.number, "day", {"day": row.day, "year": year})
        elif not policy.first_year <= row.day.year <= latest:
            yield Fault(
                "YEAR_UNLIKELY", row.number, "day", {"day": row.day, "first": policy.first_year, "last": latest}
            )
        if not row.is_workday and not row.name and row.day.weekday() < _SATURDAY:
            yield Fault("NAME_MISSING", row.number, "name", {"day": row.day})


def _year_faults(year: int, days: Iterable[Day], rows: Sequence[Row], policy: CalendarPolicy) -> Iterator[Fault]:
    known = list(days)
    names = " ".join(day.name for day in known if not day.is_workday)
    for holiday, since in policy.holidays:
        if year >= since and holiday not in names:
            yield Fault("HOLIDAY_MISSING", None, "name", {"year": year, "holiday": holiday})
    rows_of = {row.day: row.number for row in rows}
    worked = {day.day for day in known if day.is_workday}
    for month, number, since in policy.fixed:
        day = date(year, month, number)
        if year >= since and day in worked:
            yield Fault("STATUTORY_DAY_WORKED", rows_of.get(day), "is_workday", {"day": day})
