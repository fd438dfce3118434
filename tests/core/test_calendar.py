"""Versions of the calendar: numbered without a gap, nothing lost, nothing guessed (K-1, K-10)."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from core import calendar
from core.calendar import CalendarChange, CalendarDay, CalendarVersion, Change
from core.db import transaction
from core.workdays import Day

WEDNESDAY = date(2026, 12, 2)
CLOSED = Day(WEDNESDAY, is_workday=False, name="临时放假")
OPEN = Day(WEDNESDAY, is_workday=True)


def publish(*days: Day, source: str = "通知") -> int | None:
    with transaction() as session:
        made = calendar.publish(session, days, source=source, published_by="system:test", proposed_by="staff:x")
        return made.number if made else None


def test_each_publication_is_a_version_and_what_a_day_was_stays_readable(own_database: str) -> None:
    """The sample is version 1."""
    assert (publish(CLOSED), publish(CLOSED), publish(OPEN, source="更正")) == (2, None, 3)
    with transaction() as session:
        assert session.get_one(CalendarDay, WEDNESDAY).version == 3
        assert session.get_one(CalendarDay, date(2026, 12, 3)).version == 1
        query = select(CalendarChange).where(CalendarChange.day == WEDNESDAY).order_by(CalendarChange.version)
        history = [
            (row.version, row.was_workday, row.was_name, row.is_workday, row.name) for row in session.scalars(query)
        ]
        made = session.get_one(CalendarVersion, 3)
        assert (made.source, made.proposed_by, made.published_by) == ("更正", "staff:x", "system:test")
    assert history == [(1, None, None, True, ""), (2, True, "", False, "临时放假"), (3, False, "临时放假", True, "")]


def test_a_new_day_or_a_new_kind_of_day_moves_dates_and_a_new_name_does_not() -> None:
    named = Day(WEDNESDAY, is_workday=True, name="x")
    assert [Change(OPEN, named).moves_dates, Change(OPEN, CLOSED).moves_dates, Change(None, OPEN).moves_dates] == [
        False,
        True,
        True,
    ]
    assert [Change(CLOSED, OPEN).closes, Change(OPEN, CLOSED).closes, Change(None, CLOSED).closes] == [
        False,
        True,
        True,
    ]


def test_the_database_lets_nobody_change_the_history(own_database: str) -> None:
    publish(CLOSED)
    for statement in (
        "UPDATE calendar_change SET was_workday = false WHERE version = 2",
        "DELETE FROM calendar_change WHERE version = 2",
        "UPDATE calendar_version SET source = 'x' WHERE number = 2",
        "DELETE FROM calendar_version WHERE number = 2",
    ):
        with pytest.raises(DatabaseError, match="never changed"), transaction() as session:
            session.execute(text(statement))


def test_two_publications_at_once_get_two_numbers_and_each_says_what_it_found(own_database: str) -> None:
    days = [Day(date(2026, 12, n), is_workday=False, name="放假") for n in (3, 4)]
    gate = threading.Barrier(2)
    made: list[int | None] = []

    def run(day: Day) -> None:
        gate.wait()
        made.append(publish(day, CLOSED))

    threads = [threading.Thread(target=run, args=(day,)) for day in days]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(made) == {2, 3}
    with transaction() as session:
        rows = session.execute(
            select(CalendarChange.version, CalendarChange.was_name, CalendarChange.name)
            .where(CalendarChange.day == WEDNESDAY, CalendarChange.version > 1)
            .order_by(CalendarChange.version)
        ).all()
    names = ["", *(row.name for row in rows)]
    assert [row.was_name for row in rows] == names[:-1]


def test_the_package_is_never_asked_to_guess() -> None:
    days = calendar.package_days([2025, 2026])
    assert len(days) == 730
    assert {day.day: day for day in days}[date(2026, 10, 10)] == Day(date(2026, 10, 10), is_workday=True, name="国庆节")
    with pytest.raises(ValueError, match=r"chinesecalendar 1\.\d+\.\d+ doesn't know the year 2030"):
        calendar.package_days([2026, 2030])
