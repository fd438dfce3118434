"""Reads of the calendar and of its history."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from casework.appointments import queries as appointments
from casework.calendars import rules
from casework.calendars.models import CalendarProposal
from casework.cases import queries as cases
from core import clock
from core.calendar import CalendarChange, CalendarDay, CalendarVersion, Change
from core.errors import InvalidInput, NotFound
from core.web.paging import Page, by_id, decode, encode
from core.workdays import Day

MOST_COUNTED = 10_000
"""Where counting stops: whoever reads "10000" knows enough [D]."""

_NUMBER = re.compile(r"[0-9]{1,9}")
_NUMBER_AND_DAY = re.compile(r"([0-9]{1,9}) ([0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True, slots=True)
class PublishedDay:
    """A day, and the version that set it."""

    day: date
    is_workday: bool
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Version:
    """A publication: by which notice, when and by whom."""

    number: int
    source: str
    published_at: datetime
    proposed_by: str | None
    published_by: str


@dataclass(frozen=True, slots=True)
class Reach:
    """How many open cases and booked visits days touch; `MOST_COUNTED` means so many or more."""

    open_cases: int
    appointments: int


def days(session: Session, year: int) -> list[PublishedDay]:
    """The published days of a year."""
    query = select(CalendarDay).where(CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)))
    return [
        PublishedDay(row.day, row.is_workday, row.name, row.version)
        for row in session.scalars(query.order_by(CalendarDay.day))
    ]


def year_answer(session: Session, year: int) -> dict[str, Any]:
    """The calendar of a year for everybody: its versions, and the days that aren't plain, as a ready-made answer.

    `published` only when the whole year is (K-10).
    """
    found = days(session, year)
    numbers = {day.version for day in found}
    made_by = session.scalars(
        select(CalendarVersion).where(CalendarVersion.number.in_(numbers)).order_by(CalendarVersion.number.desc())
    )
    return {
        "year": year,
        "published": len(found) == sum(1 for _ in rules.whole_year(year)),
        "version": max(numbers, default=None),
        "versions": [
            {
                "number": version.number,
                "source": version.source,
                "published_at": clock.local(version.published_at).isoformat(timespec="seconds"),
            }
            for version in made_by
        ],
        "days": [
            {"day": day.day.isoformat(), "is_workday": day.is_workday, "name": day.name, "version": day.version}
            for day in found
            if not rules.is_plain(Day(day.day, day.is_workday, day.name))
        ],
    }


def versions(session: Session, args: Mapping[str, Any]) -> Page[Version]:
    """What was published, the newest first."""
    query = select(CalendarVersion).order_by(CalendarVersion.number.desc()).limit(args["limit"] + 1)
    if args["cursor"] is not None:
        query = query.where(CalendarVersion.number < int(_after(_NUMBER, args["cursor"])[0]))
    rows = [
        Version(row.number, row.source, row.published_at, row.proposed_by, row.published_by)
        for row in session.scalars(query)
    ]
    more, rows = len(rows) > args["limit"], rows[: args["limit"]]
    return Page(rows, encode(str(rows[-1].number)) if more else None)


def changes(session: Session, args: Mapping[str, Any]) -> Page[CalendarChange]:
    """What versions made of days, the newest version first; of one `version` and of one `day` only, where given."""
    query = select(CalendarChange).order_by(CalendarChange.version.desc(), CalendarChange.day)
    for column, name in ((CalendarChange.version, "version"), (CalendarChange.day, "day")):
        if args[name] is not None:
            query = query.where(column == args[name])
    if args["cursor"] is not None:
        number, day = _after(_NUMBER_AND_DAY, args["cursor"]).groups()
        try:
            last = date.fromisoformat(day)
        except ValueError:
            raise _made_up() from None
        older = CalendarChange.version < int(number)
        query = query.where(or_(older, and_(CalendarChange.version == int(number), CalendarChange.day > last)))
    rows = list(session.scalars(query.limit(args["limit"] + 1)))
    more, rows = len(rows) > args["limit"], rows[: args["limit"]]
    return Page(rows, encode(f"{rows[-1].version} {rows[-1].day}") if more else None)


def _after(form: re.Pattern[str], cursor: str) -> re.Match[str]:
    found = form.fullmatch(decode(cursor))
    if found is None:
        raise _made_up()
    return found


def _made_up() -> InvalidInput:
    return InvalidInput(fields={"cursor": ["不是有效的翻页标记 / not a valid cursor"]})


def proposals(session: Session, args: Mapping[str, Any]) -> Page[CalendarProposal]:
    """What was proposed, the newest first."""
    return by_id(session, select(CalendarProposal), CalendarProposal.id, args)


def proposal(session: Session, proposal_id: UUID) -> tuple[CalendarProposal, Reach]:
    """A proposal, and whom its days touch now. Raises `NotFound`."""
    found = session.get(CalendarProposal, proposal_id)
    if found is None:
        raise NotFound()
    return found, reach(session, proposed(found))


def proposed(proposal: CalendarProposal) -> tuple[Change, ...]:
    """The days of a proposal as changes."""
    return tuple(_change(one) for one in proposal.days)


def _change(one: Mapping[str, Any]) -> Change:
    day = date.fromisoformat(one["day"])
    was = None if one["was_workday"] is None else Day(day, one["was_workday"], one["was_name"])
    return Change(was, Day(day, one["is_workday"], one["name"]))


def reach(session: Session, found: Sequence[Change]) -> Reach:
    """Whom changes touch: cases whose reckoning holds one of the days, visits booked on one that becomes a rest day.

    An upper limit: a reckoning may come out as before, a hall may open that day by an exception of its own.
    """
    moving = [one.becomes.day for one in found if one.moves_dates]
    closing = [one.becomes.day for one in found if one.closes]
    return Reach(
        cases.count_reckoned_with(session, moving, MOST_COUNTED),
        appointments.count_booked_on(session, closing, MOST_COUNTED),
    )


def moved_days(session: Session, version: int, since: date) -> list[date]:
    """The days from `since` on that a version changed."""
    query = select(CalendarChange.day).where(CalendarChange.version == version, CalendarChange.day >= since)
    return list(session.scalars(query.order_by(CalendarChange.day)))
