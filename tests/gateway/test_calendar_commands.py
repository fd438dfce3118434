"""The calendar's commands, as an operator types them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from core import calendar
from core.calendar import CalendarDay
from core.db import transaction
from core.settings import Settings
from core.workdays import Day
from gateway.calendar_commands import import_calendar, import_calendar_file
from tests.factories import calendars as notice


@pytest.fixture
def run(settings: Settings, own_database: str) -> Any:
    """Run a command on the test's own database."""
    own = settings.database_url.rpartition("/")[0] + f"/{own_database}"

    def invoke(command: Any, *arguments: str) -> Any:
        return CliRunner().invoke(command, list(arguments), obj=lambda: replace(settings, database_url=own))

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> str:
    made = tmp_path / "2027.csv"
    made.write_bytes(notice.as_csv())
    return str(made)


def stored(day: date) -> tuple[bool, str, int] | None:
    with transaction() as session:
        found = session.get(CalendarDay, day)
        return (found.is_workday, found.name, found.version) if found else None


def test_the_package_is_published_once(run: Any) -> None:
    done = run(import_calendar, "2024", "2025")
    assert (done.exit_code, done.output) == (0, "366 days published as version 2\n")
    again = run(import_calendar, "2024", "2025")
    assert (again.exit_code, again.output) == (0, "unchanged\n")
    with transaction() as session:
        actors = session.execute(text("SELECT actor FROM audit_entry WHERE action = 'calendar.publish'")).all()
    assert actors == [("system:operator",)]


def test_a_year_that_the_package_does_not_know_is_not_guessed(run: Any) -> None:
    """K-10, DOMAIN 4.4."""
    refused = run(import_calendar, "2026", "2035")
    assert refused.exit_code == 1
    assert "doesn't know the year 20" in refused.output
    assert "import-calendar-file" in refused.output
    assert stored(date(2035, 1, 1)) is None
    assert run(import_calendar, "2026", "2025").exit_code == 2


def test_the_package_does_not_write_over_what_two_people_published(run: Any) -> None:
    with transaction() as session:
        calendar.publish(
            session,
            [Day(date(2026, 12, 2), is_workday=False, name="临时放假")],
            source="通知",
            published_by="staff:b",
            proposed_by="staff:a",
        )
    refused = run(import_calendar, "2026", "2026")
    assert refused.exit_code == 1
    assert "2026-12-02 Wed: rest day (临时放假) -> working day" in refused.output
    assert stored(date(2026, 12, 2)) == (False, "临时放假", 2)
    tried = run(import_calendar, "2026", "2026", "--dry-run")
    assert (tried.exit_code, "1 days would change, 1 of them published otherwise" in tried.output) == (0, True)
    assert stored(date(2026, 12, 2)) == (False, "临时放假", 2)
    assert "published as version 3" in run(import_calendar, "2026", "2026", "--replace").output
    assert stored(date(2026, 12, 2)) == (True, "", 3)


def test_a_file_is_published_whole_or_not_at_all(run: Any, file: str, tmp_path: Path) -> None:
    source = ("--source", notice.SOURCE)
    assert "YEAR_NOT_PUBLISHED" in run(import_calendar_file, file, *source).output
    tried = run(import_calendar_file, file, *source, "--year", "2027", "--dry-run")
    assert "2027-02-05 Fri: not published -> rest day (春节)" in tried.output
    assert stored(date(2027, 2, 5)) is None
    done = run(import_calendar_file, file, *source, "--year", "2027")
    assert (done.exit_code, done.output) == (0, "365 days published as version 2\n")
    assert stored(date(2027, 2, 5)) == (False, "春节", 2)
    assert run(import_calendar_file, file, *source, "--year", "2027").output == "unchanged\n"
    faulty = tmp_path / "faulty.csv"
    faulty.write_text("day,is_workday,name\n2027-03-01,false,\n2027-03-02,maybe,x\n2027-03-03,false,放假\n")
    refused = run(import_calendar_file, str(faulty), *source)
    assert refused.exit_code == 1
    assert "row 2 name:" in refused.output
    assert "row 3 is_workday:" in refused.output
    assert "2 faults; nothing was changed" in refused.output
    assert stored(date(2027, 3, 3)) == (True, "", 2)
    assert run(import_calendar_file, file, "--source", " ").exit_code == 2
