"""P-5: emergency look-ups are reviewed in three working days; who waits sees them, and the person hears of each."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.persons.emergencies import jobs, rules
from casework.persons.emergencies.models import EmergencyLookUp
from core import calendar as core_calendar
from core import clock
from core.clock import SHANGHAI
from core.db import transaction
from notifications.messages.models import Message
from tests.factories import auth as make
from tests.factories import cases
from tests.factories.catalogue import CITY_HALL

URL, WAITING, MINE = "/staff/v1/persons/emergencies", "/staff/v1/security/waiting", "/api/v1/account/looks"
# A Friday: Monday, Tuesday and Wednesday are the three working days.
FRIDAY = datetime(2026, 11, 27, 10, 30, tzinfo=SHANGHAI)
DUE = datetime(2026, 12, 3, tzinfo=SHANGHAI)
People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture(autouse=True)
def _friday(app: Any) -> Iterator[None]:
    with clock.at(FRIDAY):
        yield


@pytest.fixture
def looked_up(client: FlaskClient, citizen: People, staff: People) -> tuple[Any, dict[str, str]]:
    """A citizen whom a clerk of the city hall has looked up, with the citizen's headers."""
    card = make.resident_id()
    person, headers = citizen(level=2, document=card)
    _, clerk = staff("FRONT_CLERK", hall_id=CITY_HALL)
    body = {"document_type": "111", "document_number": card.number, "reason": "老人在大厅晕倒，需要联系家属"}
    assert client.post(URL, json=body, headers=clerk).status_code == 200
    return person, headers


def told(person: Any) -> list[str]:
    with transaction() as session:
        query = select(Message.body).where(
            Message.receiver_id == person.subject_id, Message.template == "PERSONAL_DATA_SEEN"
        )
        return list(session.scalars(query.order_by(Message.id)))


def test_three_working_days(session: Session) -> None:
    """K-2: the day itself is day 0; the make-up Saturday of 2026-10-10 counts, the holiday before it doesn't."""
    calendar = core_calendar.load(session)
    assert rules.due_at(FRIDAY, calendar) == DUE
    before_holiday = datetime(2026, 9, 30, 18, tzinfo=SHANGHAI)
    assert rules.due_at(before_holiday, calendar) == datetime(2026, 10, 11, tzinfo=SHANGHAI)
    assert rules.is_overdue(None, DUE, DUE)
    assert not rules.is_overdue(None, DUE, DUE - timedelta(seconds=1))
    assert not rules.is_overdue(True, DUE, DUE + timedelta(days=9))


def test_supervisors_and_the_security_administrator_see_what_waits(
    client: FlaskClient, looked_up: Any, staff: People
) -> None:
    (_, supervisor), (_, security), (_, clerk) = staff("SUPERVISOR"), staff("SECURITY_ADMIN"), staff("FRONT_CLERK")
    for headers in (supervisor, security):
        (open_one,) = client.get(URL, headers=headers).get_json()["items"]
        assert (open_one["overdue"], open_one["justified"]) == (False, None)
        assert datetime.fromisoformat(open_one["due_at"]) == DUE
        counts = client.get(WAITING, headers=headers).get_json()
        assert counts == {"emergencies": 1, "emergencies_overdue": 0, "sign_in_reports": 0, "freezes_proposed": 0}
    for path in (URL, WAITING):
        assert client.get(path, headers=clerk).status_code == 403
    review = {"justified": True, "finding": "属实"}
    assert client.post(f"{URL}/{open_one['id']}/review", json=review, headers=security).status_code == 403
    with clock.at(DUE):
        assert client.get(URL, headers=security).get_json()["items"][0]["overdue"] is True
        assert client.get(WAITING, headers=security).get_json()["emergencies_overdue"] == 1


@pytest.mark.parametrize(("justified", "word"), [(True, "确属紧急"), (False, "不属于紧急")])
def test_the_review_tells_the_person(
    client: FlaskClient, looked_up: Any, staff: People, justified: bool, word: str
) -> None:
    person, headers = looked_up
    assert told(person) == []
    assert client.get(MINE, headers=headers).get_json()["items"] == []
    _, supervisor = staff("SUPERVISOR")
    (open_one,) = client.get(URL, headers=supervisor).get_json()["items"]
    body = {"justified": justified, "finding": "查看了当日录像"}
    assert client.post(f"{URL}/{open_one['id']}/review", json=body, headers=supervisor).status_code == 200
    (message,) = told(person)
    assert word in message
    assert "录像" not in message
    verdict = "JUSTIFIED" if justified else "UNJUSTIFIED"
    (seen,) = client.get(MINE, headers=headers).get_json()["items"]
    assert (seen["reason"], seen["verdict"], seen["hall"]) == ("EMERGENCY", verdict, "宁波市行政服务中心")
    assert set(seen) == {"at", "reason", "hall", "verdict"}, "not who it was (P-7)"
    (listed,) = client.get(f"{URL}?verdict={verdict}", headers=supervisor).get_json()["items"]
    assert listed["finding"] == "查看了当日录像"
    other = "UNJUSTIFIED" if justified else "JUSTIFIED"
    assert client.get(f"{URL}?verdict={other}", headers=supervisor).get_json()["items"] == []
    assert client.get(WAITING, headers=supervisor).get_json()["emergencies"] == 0


def test_a_late_review_is_alarmed_each_day_and_not_hidden_from_the_person(
    client: FlaskClient, looked_up: Any, staff: People, capsys: pytest.CaptureFixture[str]
) -> None:
    person, headers = looked_up
    jobs.watch_emergencies()
    assert told(person) == []
    with clock.at(DUE + timedelta(hours=9)):
        for _ in range(2):
            jobs.watch_emergencies()
        assert ["尚未" in message for message in told(person)] == [True]
        _, fresh = staff("SUPERVISOR")
        (seen,) = client.get(MINE, headers=headers).get_json()["items"]
        assert seen["verdict"] == "OPEN"
        (open_one,) = client.get(URL, headers=fresh).get_json()["items"]
        body = {"justified": False, "finding": "无紧急情况"}
        assert client.post(f"{URL}/{open_one['id']}/review", json=body, headers=fresh).status_code == 200
        jobs.watch_emergencies()
    assert len(told(person)) == 2
    assert capsys.readouterr().out.count("emergency_reviews.overdue") == 2


def test_nobody_found_means_nobody_told(client: FlaskClient, staff: People) -> None:
    _, clerk = staff("FRONT_CLERK", hall_id=CITY_HALL)
    body = {"document_type": "111", "document_number": make.resident_id().number, "reason": "老人在大厅晕倒，联系家属"}
    assert client.post(URL, json=body, headers=clerk).status_code == 404
    with clock.at(DUE):
        jobs.watch_emergencies()
    with transaction() as session:
        assert session.scalars(select(EmergencyLookUp.told_at)).one() is None
        assert session.scalars(select(Message)).all() == []


def test_looks_with_a_matter_in_hand_are_shown_at_once_and_only_to_that_person(
    client: FlaskClient, citizen: People, staff: People, count_queries: Any
) -> None:
    """A refused look showed nothing and is nobody's business but the auditor's."""
    card = make.resident_id()
    person, headers = citizen(level=2, document=card)
    clerk, clerk_headers = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with transaction() as session:
        case = cases.received(session, person, clerk)
    for number in (case.number, case.number, "NB2611240099999"):
        body = {"document_type": "111", "document_number": card.number, "reference": "CASE", "number": number}
        client.post("/staff/v1/persons/look-up", json=body, headers=clerk_headers)
    with count_queries() as counted:
        page = client.get(MINE, headers=headers).get_json()
    assert [(one["reason"], one["verdict"]) for one in page["items"]] == [("CASE", None)] * 2
    first = client.get(f"{MINE}?limit=1", headers=headers).get_json()
    second = client.get(f"{MINE}?limit=1&cursor={first['next_cursor']}", headers=headers).get_json()
    assert (len(second["items"]), second["next_cursor"]) == (1, None)
    assert client.get(MINE, headers=citizen(level=2)[1]).get_json()["items"] == []
    assert client.get(MINE, headers=citizen(level=1)[1]).status_code == 401
    assert len(counted) <= 8
