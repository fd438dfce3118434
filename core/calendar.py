"""The calendar table behind the clock (K-1, K-10): which days of which years are published, and from what source."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Boolean, Date, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.workdays import Calendar, Day

_CACHE_SECONDS = 30


class CalendarDay(Base):
    """One published day. A year counts as published when all its days are here."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    is_workday: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(Text)


class _Cache:
    lock = threading.Lock()
    calendar: Calendar | None = None
    read_at = 0.0


def load(session: Session) -> Calendar:
    """The published calendar, kept in the process for 30 s (it changes a few times a year)."""
    with _Cache.lock:
        if _Cache.calendar is None or time.monotonic() - _Cache.read_at > _CACHE_SECONDS:
            rows = session.execute(select(CalendarDay.day, CalendarDay.is_workday, CalendarDay.name)).all()
            _Cache.calendar = Calendar(Day(day, is_workday, name) for day, is_workday, name in rows)
            _Cache.read_at = time.monotonic()
        return _Cache.calendar


def forget() -> None:
    """Read the table afresh at the next `load` (after an import, between tests)."""
    with _Cache.lock:
        _Cache.calendar = None


def import_years(session: Session, years: range) -> int:
    """Fill `years` from the chinesecalendar package; returns the number of days written.

    Raises `ValueError` for a year the package doesn't know: it is never guessed (K-10, DOMAIN 4.4).
    """
    import chinese_calendar

    rows: list[dict[str, Any]] = []
    for year in years:
        day = date(year, 1, 1)
        while day.year == year:
            try:
                rest, holiday = chinese_calendar.get_holiday_detail(day)
            except NotImplementedError as unknown:
                raise ValueError(
                    f"the calendar of {year} is not published in the installed chinesecalendar"
                ) from unknown
            name = chinese_calendar.Holiday(holiday).chinese if holiday else ""
            rows.append({"day": day, "is_workday": not rest, "name": name, "source": "chinesecalendar"})
            day += timedelta(days=1)
    _write(session, rows)
    return len(rows)


def publish(session: Session, days: Iterable[Day], *, source: str) -> int:
    """Publish days by a notice, whatever was published of them before; returns how many. Fire K-9 afterwards."""
    rows = [{"day": one.day, "is_workday": one.is_workday, "name": one.name, "source": source} for one in days]
    if rows:
        _write(session, rows)
    return len(rows)


def _write(session: Session, rows: list[dict[str, Any]]) -> None:
    write = insert(CalendarDay)
    new = {name: write.excluded[name] for name in ("is_workday", "name", "source")}
    session.execute(write.on_conflict_do_update(index_elements=[CalendarDay.day], set_=new), rows)
    forget()
