"""The calendar at the desk: files, differences, whom they touch, versions; who decides and when not."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import clock
from core.calendar import CalendarDay
from core.db import transaction
from tests.factories import appointments as visits
from tests.factories import calendars as notice
from tests.factories.appointments import NOW
from tests.factories.catalogue import CITY_HALL

BASE = "/staff/v1/calendar"
People = Callable[..., tuple[Any, dict[str, str]]]
CLOSED = {"day": "2026-12-02", "is_workday": False, "name": "临时放假"}


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


class Desk:
    """What one manager can do."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def get(self, path: str) -> Any:
        return self.client.get(BASE + path, headers=self.headers)

    def propose(self, **body: Any) -> Any:
        return self.client.post(
            f"{BASE}/proposals", json=body, headers={**self.headers, "Idempotency-Key": str(uuid4())}
        )

    def send(self, content: bytes, **said: str) -> Any:
        data = {"file": (io.BytesIO(content), "notice.csv"), **said}
        return self.client.post(f"{BASE}/files", data=data, headers=self.headers)

    def decide(self, proposal_id: str, *, approved: bool = True) -> Any:
        path = f"{BASE}/proposals/{proposal_id}/decide"
        return self.client.post(path, json={"approved": approved}, headers=self.headers)


@pytest.fixture
def desks(client: FlaskClient, staff: People) -> tuple[Desk, Desk]:
    return Desk(client, staff("HALL_MANAGER", hall_id=CITY_HALL)[1]), Desk(client, staff("SYSTEM_ADMIN")[1])


def test_a_file_becomes_a_proposal_of_what_differs_and_a_second_person_publishes_it(
    own_database: str, desks: tuple[Desk, Desk]
) -> None:
    first, second = desks
    sent = first.send(notice.as_csv(), source=notice.SOURCE, year="2027")
    assert sent.status_code == 200, sent.json
    made = sent.json
    assert (made["state"], made["version"], len(made["days"])) == ("OPEN", None, 365)
    assert made["days"][0] == {
        "day": "2027-01-01", "was_workday": None, "was_name": None, "is_workday": False, "name": "元旦",
    }  # fmt: skip
    assert made["reach"] == {"open_cases": 0, "appointments": 0}
    assert first.send(notice.as_json(), source=notice.SOURCE, year="2027").json["id"] == made["id"]
    assert second.get(f"/proposals/{made['id']}").json == made
    done = second.decide(made["id"]).json
    assert (done["state"], done["version"]) == ("APPROVED", 2)
    again = first.send(notice.as_csv(), source=notice.SOURCE, year="2027")
    assert (again.status_code, again.json["code"]) == (409, "CALENDAR_UNCHANGED")
    # One day more: one day is proposed.
    more = first.send(notice.as_csv([*notice.ROWS, ("2027-12-31", False, "临时放假")]), source="通知", year="2027")
    assert [one["day"] for one in more.json["days"]] == ["2027-12-31"]


def test_a_faulty_file_changes_nothing_and_says_everything(own_database: str, desks: tuple[Desk, Desk]) -> None:
    sent = desks[0].send(b"day,is_workday,name\n2027-13-01,true,\n2027-01-01,perhaps,\n", source="x", year="2027")
    assert (sent.status_code, sent.json["code"]) == (422, "CALENDAR_FAULTY")
    assert [(one["code"], one["row"], one["column"]) for one in sent.json["faults"]] == [
        ("DAY_INVALID", 2, "day"),
        ("WORKDAY_INVALID", 3, "is_workday"),
    ]
    assert "2" in sent.json["detail"]
    assert desks[0].get("/proposals").json["items"] == []
    assert desks[0].send(notice.as_csv(), year="2027").status_code == 422
    assert desks[0].send(notice.as_csv(), source="x", year="20270").status_code == 422
    assert desks[0].send(b"", source="x").json["code"] == "CALENDAR_FAULTY"
    nothing = desks[0].client.post(f"{BASE}/files", data={"source": "x"}, headers=desks[0].headers)
    assert nothing.status_code == 422


def test_a_proposal_shows_was_and_becomes_and_whom_it_touches(
    own_database: str, desks: tuple[Desk, Desk], citizen: People
) -> None:
    person = citizen()[0]
    with transaction() as session:
        visits.book(session, person, visits.slot(session))
    made = desks[0].propose(days=[CLOSED], source="市政府通知")
    assert made.status_code == 201
    shown = desks[1].get(f"/proposals/{made.json['id']}").json
    assert shown["days"] == [{**CLOSED, "was_workday": True, "was_name": ""}]
    assert shown["reach"] == {"open_cases": 0, "appointments": 1}
    assert desks[1].get(f"/proposals/{uuid4()}").status_code == 404


def test_who_may_not_decide_and_when_it_is_too_late(own_database: str, desks: tuple[Desk, Desk]) -> None:
    first, second = desks
    friday = {"day": "2026-12-04", "is_workday": False, "name": "放假"}
    one = first.propose(days=[CLOSED], source="通知").json["id"]
    both = second.propose(days=[CLOSED, friday], source="通知").json["id"]

    def refusal(answer: Any) -> tuple[int, str]:
        return answer.status_code, answer.json["code"]

    assert refusal(first.decide(one)) == (403, "CALENDAR_NEEDS_SECOND_PERSON")
    assert refusal(first.decide(one, approved=False)) == (403, "CALENDAR_NEEDS_SECOND_PERSON")
    assert second.decide(one).status_code == 200
    for approved in (True, False):
        assert refusal(second.decide(one, approved=approved)) == (409, "STATE_CONFLICT")
    stale = first.decide(both)
    assert (refusal(stale), stale.json["days"]) == ((409, "CALENDAR_CHANGED"), ["2026-12-02"])
    assert first.decide(both, approved=False).json["state"] == "REJECTED"
    assert refusal(first.decide(str(uuid4()))) == (404, "NOT_FOUND")


def test_the_calendar_and_its_history_are_read(own_database: str, desks: tuple[Desk, Desk]) -> None:
    first, second = desks
    for is_workday, name in ((False, "放假"), (True, "")):
        made = first.propose(days=[{**CLOSED, "is_workday": is_workday, "name": name}], source=f"通知{name}").json
        second.decide(made["id"])
    days = {one["day"]: one for one in first.get("/days?year=2026").json["days"]}
    assert len(days) == 365
    assert days["2026-12-02"] == {"day": "2026-12-02", "is_workday": True, "name": "", "version": 3}
    assert days["2026-10-01"] == {"day": "2026-10-01", "is_workday": False, "name": "国庆节", "version": 1}
    assert first.get("/days?year=2027").json["days"] == []
    assert first.get("/days").status_code == 422
    newest = first.get("/versions?limit=2").json
    assert [(one["number"], one["source"]) for one in newest["items"]] == [(3, "通知"), (2, "通知放假")]
    assert newest["items"][0]["proposed_by"] != newest["items"][0]["published_by"]
    oldest = first.get(f"/versions?limit=2&cursor={newest['next_cursor']}").json
    assert [one["number"] for one in oldest["items"]] == [1]
    assert (oldest["items"][0]["proposed_by"], oldest["next_cursor"]) == (None, None)
    history = first.get("/changes?day=2026-12-02").json["items"]
    assert [(one["version"], one["was_workday"], one["was_name"], one["is_workday"]) for one in history] == [
        (3, False, "放假", True),
        (2, True, "", False),
        (1, None, None, True),
    ]
    assert [one["day"] for one in first.get("/changes?version=2").json["items"]] == ["2026-12-02"]


def test_long_histories_come_in_pages(own_database: str, desks: tuple[Desk, Desk]) -> None:
    desk, seen, cursor = desks[0], [], ""
    while True:
        page = desk.get(f"/changes?version=1&limit=100{cursor}").json
        seen += [one["day"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    with transaction() as session:
        assert seen == sorted(seen)
        assert len(set(seen)) == session.query(CalendarDay).count() == len(seen)
    for made_up in ("x", "MSAy", "MSAyMDI3LTAyLTMx", "MSAyMDI3LTEzLTAx"):
        assert desk.get(f"/changes?cursor={made_up}").status_code == 422, made_up
    assert desk.get("/versions?cursor=YQ").status_code == 422


def test_a_day_of_an_unpublished_year_is_refused_and_the_whole_year_taken(
    own_database: str, desks: tuple[Desk, Desk]
) -> None:
    """K-10: a year is published whole."""
    alone = desks[0].propose(days=[{"day": "2027-01-01", "is_workday": False, "name": "元旦"}], source="通知")
    assert [one["code"] for one in alone.json["faults"]] == ["YEAR_NOT_PUBLISHED"]
    days = [{"day": day, "is_workday": worked, "name": name} for day, worked, name in notice.ROWS]
    made = desks[0].propose(days=days, source=notice.SOURCE, year=2027)
    assert (made.status_code, len(made.json["days"])) == (201, 365)
    assert desks[1].decide(made.json["id"]).json["version"] == 2
    with transaction() as session:
        assert not session.get_one(CalendarDay, date(2027, 2, 5)).is_workday
