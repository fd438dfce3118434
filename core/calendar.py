"""The calendar table behind the clock (K-1, K-10): which days are published, by which version, and what they were before.

Every publication is a version: a number, the notice it rests on, when and by whom. A day names the version that set it;
what each version changed, and from what, stays readable for good (the database refuses to change it).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version as installed
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, Text, func, insert, select
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base
from core.workdays import Calendar, Day

CACHE_SECONDS = 30
"""How long a process may reckon with the calendar as it was before a publication."""

_LOCK = 0x63616C656E646172  # "calendar" in ASCII
_PACKAGE = "chinesecalendar"


class CalendarVersion(Base):
    """One publication. Numbers follow one another without a gap. `proposed_by` is null when one operator did it all."""

    __tablename__ = "calendar_version"
    __table_args__ = (CheckConstraint("source <> ''", name="has_a_source"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime]
    proposed_by: Mapped[str | None] = mapped_column(Text)
    published_by: Mapped[str] = mapped_column(Text)


class CalendarDay(Base):
    """One published day as it is now. A year counts as published when all its days are here."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    is_workday: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(ForeignKey("calendar_version.number"))


class CalendarChange(Base):
    """What a version made of a day, and what the day was before (null: not published). Append-only."""

    __tablename__ = "calendar_change"
    __table_args__ = (
        CheckConstraint("(was_workday IS NULL) = (was_name IS NULL)", name="was_whole_or_unpublished"),
        Index("ix_calendar_change_day_version", "day", "version"),
    )

    version: Mapped[int] = mapped_column(ForeignKey("calendar_version.number"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    was_workday: Mapped[bool | None] = mapped_column(Boolean)
    was_name: Mapped[str | None] = mapped_column(Text)
    is_workday: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Change:
    """One day that becomes another: from `was` (None: not published) to `becomes`."""

    was: Day | None
    becomes: Day

    @property
    def moves_dates(self) -> bool:
        """Whether a reckoning can come out otherwise: not by a new name alone (K-9, K-10)."""
        return self.was is None or self.was.is_workday != self.becomes.is_workday

    @property
    def closes(self) -> bool:
        """Whether people worked, or might have, on a day that becomes a rest day."""
        return not self.becomes.is_workday and (self.was is None or self.was.is_workday)


@dataclass(frozen=True, slots=True)
class Publication:
    """A version that was just written, and what it changed."""

    number: int
    changes: tuple[Change, ...]


class _Cache:
    lock = threading.Lock()
    calendar: Calendar | None = None
    read_at = 0.0


def load(session: Session) -> Calendar:
    """The published calendar, kept in the process for 30 s (it changes a few times a year)."""
    with _Cache.lock:
        if _Cache.calendar is None or time.monotonic() - _Cache.read_at > CACHE_SECONDS:
            _Cache.calendar = read(session)
            _Cache.read_at = time.monotonic()
        return _Cache.calendar


def forget() -> None:
    """Read the table afresh at the next `load` (after an import, between tests)."""
    with _Cache.lock:
        _Cache.calendar = None


def read(session: Session) -> Calendar:
    """The published calendar as the table has it now."""
    rows = session.execute(select(CalendarDay.day, CalendarDay.is_workday, CalendarDay.name)).all()
    return Calendar(Day(day, is_workday, name) for day, is_workday, name in rows)


def lock(session: Session) -> None:
    """Let no other transaction publish until this one ends."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def changes(published: Calendar, days: Iterable[Day]) -> tuple[Change, ...]:
    """Where `days` differ from what is published, in their order in time."""
    found = []
    for becomes in sorted(days, key=lambda one: one.day):
        known = published.day(becomes.day)
        was = known if known.published else None
        if was != becomes:
            found.append(Change(was, becomes))
    return tuple(found)


def publish(
    session: Session, days: Iterable[Day], *, source: str, published_by: str, proposed_by: str | None = None
) -> Publication | None:
    """Write what differs from the published days as a new version; None when nothing does. Fire K-9 afterwards."""
    lock(session)
    found = changes(read(session), days)
    if not found:
        return None
    number = (session.scalar(select(func.max(CalendarVersion.number))) or 0) + 1
    session.add(
        CalendarVersion(
            number=number,
            source=source,
            published_at=clock.now(),
            proposed_by=proposed_by,
            published_by=published_by,
        )
    )
    session.flush()
    _write(session, number, found)
    forget()
    return Publication(number, found)


def _write(session: Session, number: int, found: Sequence[Change]) -> None:
    write = pg.insert(CalendarDay)
    new = {name: write.excluded[name] for name in ("is_workday", "name", "version")}
    days: list[dict[str, Any]] = [
        {
            "day": one.becomes.day,
            "is_workday": one.becomes.is_workday,
            "name": one.becomes.name,
            "version": number,
        }
        for one in found
    ]
    session.execute(write.on_conflict_do_update(index_elements=[CalendarDay.day], set_=new), days)
    before = [
        {"was_workday": one.was.is_workday if one.was else None, "was_name": one.was.name if one.was else None}
        for one in found
    ]
    session.execute(insert(CalendarChange), [day | was for day, was in zip(days, before, strict=True)])


def package() -> str:
    """Name and release of the installed package, as the source of what comes from it."""
    return f"{_PACKAGE} {installed(_PACKAGE)}"


def package_days(years: Iterable[int]) -> list[Day]:
    """Every day of `years` as the chinesecalendar package has it.

    Raises `ValueError` for a year the package doesn't know: it is never guessed (K-10, DOMAIN 4.4).
    """
    import chinese_calendar

    found: list[Day] = []
    for year in years:
        day = date(year, 1, 1)
        while day.year == year:
            try:
                rest, holiday = chinese_calendar.get_holiday_detail(day)
            except NotImplementedError:
                raise ValueError(f"{package()} doesn't know the year {year}") from None
            found.append(Day(day, not rest, chinese_calendar.Holiday(holiday).chinese if holiday else ""))
            day += timedelta(days=1)
    return found
