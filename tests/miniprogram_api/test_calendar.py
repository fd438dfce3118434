"""The calendar of a year as everybody reads it: what is special, by which notice; kept until the next version."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from flask.testing import FlaskClient

from casework.calendars import service
from casework.calendars.rules import Row, settle
from casework.catalogue.answers.queries import LOOK_SECONDS
from core import calendar, clock
from core.actors import System
from core.db import transaction
from core.workdays import Day
from miniprogram_api.calendar import CalendarYearOut
from tests.factories import calendars as notice
from tests.factories import cases as make

PATH = "/api/v1/calendar"


def test_a_year_with_its_versions_and_special_days(client: FlaskClient) -> None:
    answer = client.get(f"{PATH}?year=2026")
    assert answer.status_code == 200
    year = answer.get_json()
    assert CalendarYearOut().validate(year) == {}
    assert (year["year"], year["published"], year["version"]) == (2026, True, 1)
    assert [(one["number"], one["source"]) for one in year["versions"]] == [(1, calendar.package())]
    days = {one["day"]: one for one in year["days"]}
    assert days["2026-10-01"] == {"day": "2026-10-01", "is_workday": False, "name": "国庆节", "version": 1}
    assert days["2026-10-10"]["is_workday"]
    assert not {"2026-11-24", "2026-11-28"} & set(days)
    assert "staff" not in answer.get_data(as_text=True)


def test_a_year_that_is_not_published_says_so(client: FlaskClient) -> None:
    """K-10."""
    assert client.get(f"{PATH}?year=2027").get_json() == {
        "year": 2027, "published": False, "version": None, "versions": [], "days": [],
    }  # fmt: skip


def test_this_year_unless_told_and_no_nonsense(client: FlaskClient) -> None:
    with clock.at(make.at("2025-03-01")):
        assert client.get(PATH).get_json()["year"] == 2025
    for query in ("year=1999", "year=2101", "year=x", "year="):
        assert client.get(f"{PATH}?{query}").status_code == 422, query


def test_a_new_version_shows_within_a_second_and_clients_can_ask_again(client: FlaskClient, own_database: str) -> None:
    def ask(etag: str = "") -> Any:
        return client.get(f"{PATH}?year=2027", headers={"If-None-Match": etag} if etag else {})

    before = ask().headers["ETag"]
    assert ask(before).status_code == 304
    with transaction() as session:
        rows = [Row(n, date.fromisoformat(day), worked, name) for n, (day, worked, name) in enumerate(notice.ROWS, 1)]
        days, faults = settle(rows, year=2027, published=calendar.read(session), today=clock.today())
        assert faults == []
        service.publish(session, actor=System("operator"), days=days, source=notice.SOURCE)
    time.sleep(LOOK_SECONDS)
    changed = ask(before)
    assert changed.status_code == 200
    assert (changed.get_json()["published"], changed.get_json()["version"]) == (True, 2)
    assert [(one["day"], one["is_workday"], one["name"]) for one in changed.get_json()["days"]] == notice.ROWS
    with transaction() as session:
        closed = Day(date(2027, 12, 31), is_workday=False, name="临时放假")
        service.publish(session, actor=System("operator"), days=[closed], source="市政府通知", replace=True)
    time.sleep(LOOK_SECONDS)
    year = ask().get_json()
    assert (year["version"], [one["number"] for one in year["versions"]]) == (3, [3, 2])
    assert year["days"][-1] == {"day": "2027-12-31", "is_workday": False, "name": "临时放假", "version": 3}
