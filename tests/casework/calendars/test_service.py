"""The calendar changed by two people: nothing before the second, everything after (K-9); the alarm (K-10)."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from casework.calendars import jobs, rules
from casework.calendars.models import CalendarProposal
from core import calendar, clock
from core.calendar import CalendarDay
from core.db import transaction
from core.workdays import Calendar, Day
from tests.factories import cases as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/staff/v1/calendar/proposals"
# The Wednesday after the acceptance becomes a day off.
CLOSED = {"day": "2026-12-02", "is_workday": False, "name": "临时放假"}


@pytest.fixture
def send(client: FlaskClient) -> Callable[..., Any]:
    def post(headers: dict[str, str], path: str, body: Any) -> Any:
        return client.post(PATH + path, json=body, headers={**headers, "Idempotency-Key": str(uuid4())})

    return post


def test_one_proposes_another_approves_and_open_cases_are_reckoned_anew(
    own_database: str, citizen: People, staff: People, send: Callable[..., Any], run_jobs: Callable[..., None],
    settings: Any,
) -> None:  # fmt: skip
    first, second = staff("HALL_MANAGER", hall_id=CITY_HALL)[1], staff("SYSTEM_ADMIN")[1]
    with clock.at(make.at("2026-12-01")), transaction() as session:
        case = make.accepted(session, citizen(level=2)[0], staff("FRONT_CLERK", hall_id=CITY_HALL)[0])
        before = case.due_on
    made = send(first, "", {"days": [CLOSED], "source": "国办通知（测试）"})
    assert (made.status_code, made.json["state"]) == (201, "OPEN")
    own = send(first, f"/{made.json['id']}/decide", {"approved": True})
    assert own.status_code == 403
    with transaction() as session:
        assert session.get_one(CalendarDay, date(2026, 12, 2)).is_workday
    done = send(second, f"/{made.json['id']}/decide", {"approved": True})
    assert (done.status_code, done.json["state"]) == (200, "APPROVED")
    assert send(second, f"/{made.json['id']}/decide", {"approved": False}).status_code == 409
    with transaction() as session:
        changed = session.get_one(CalendarDay, date(2026, 12, 2))
        assert (changed.is_workday, changed.name, changed.source) == (False, "临时放假", "国办通知（测试）")
        assert not calendar.load(session).day(date(2026, 12, 2)).is_workday
    from casework.cases import jobs as case_jobs

    case_jobs.recompute_open()
    after = make.row(case.id)
    assert after.due_on > before


def test_a_rejected_proposal_changes_nothing(database: Any, staff: People, send: Callable[..., Any]) -> None:
    first, second = staff("SYSTEM_ADMIN")[1], staff("SYSTEM_ADMIN")[1]
    made = send(first, "", {"days": [CLOSED], "source": "通知"}).json
    assert send(second, f"/{made['id']}/decide", {"approved": False}).json["state"] == "REJECTED"
    with transaction() as session:
        assert session.get_one(CalendarDay, date(2026, 12, 2)).is_workday
    assert send(first, "", {"days": [CLOSED, CLOSED], "source": "通知"}).status_code == 422
    assert send(first, "", {"days": [CLOSED], "source": ""}).status_code == 422
    assert send(first, f"/{uuid4()}/decide", {"approved": True}).status_code == 404
    clerk = staff("FRONT_CLERK", hall_id=CITY_HALL)[1]
    assert send(clerk, "", {"days": [CLOSED], "source": "通知"}).status_code == 403


def test_the_database_wants_two_people_too(database: Any, staff: People, send: Callable[..., Any]) -> None:
    send(staff("SYSTEM_ADMIN")[1], "", {"days": [CLOSED], "source": "通知"})
    with pytest.raises(IntegrityError), transaction() as session:
        who = session.scalars(select(CalendarProposal.proposed_by)).one()
        session.execute(update(CalendarProposal).values(state="APPROVED", decided_by=who))


def test_a_year_is_missing_only_after_its_usual_publication(client: FlaskClient) -> None:
    whole = Calendar(
        Day(date.fromordinal(n), is_workday=True)
        for n in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())
    )
    assert rules.missing_year(date(2026, 11, 30), whole) is None
    assert rules.missing_year(date(2026, 12, 1), whole) == 2027
    assert rules.missing_year(date(2027, 1, 1), whole) == 2027
    with clock.at(make.at("2026-11-24")):
        assert client.get("/readyz").get_json()["notes"] == []
    with clock.at(make.at("2026-12-01")):
        assert client.get("/readyz").get_json()["notes"] == ["calendar of 2027 is missing"]


def test_the_log_says_so_every_day(database: Any, capfd: Any) -> None:
    with clock.at(make.at("2026-12-01")):
        jobs.watch()
    assert "calendar.missing" in "".join(capfd.readouterr())
