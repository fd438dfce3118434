"""Cases over HTTP on the clerks' side: who may do what, and what they see."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from casework.cases.queries import Case
from casework.places.rules import hall_id
from core import clock
from core.actors import Citizen
from core.db import transaction
from tests.factories import auth as people
from tests.factories import cases as make
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/staff/v1/cases"


class Desk:
    """The calls a member of staff makes."""

    def __init__(self, client: FlaskClient, signed_in: tuple[Any, dict[str, str]]) -> None:
        self.client, (self.actor, self.headers) = client, signed_in

    def get(self, path: str = "", *, status: int = 200) -> Any:
        answer = self.client.get(PATH + path, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def post(self, path: str = "", body: Any = None, *, status: int = 200, key: str = "") -> Any:
        headers = self.headers | {"Idempotency-Key": key or str(uuid4())}
        answer = self.client.post(PATH + path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()


@pytest.fixture
def clerk(client: FlaskClient, staff: People) -> Desk:
    return Desk(client, staff("FRONT_CLERK", hall_id=CITY_HALL))


@pytest.fixture
def officer(client: FlaskClient, staff: People) -> Desk:
    return Desk(client, staff("BACK_OFFICER", department_id=make.DEPARTMENT))


@pytest.fixture
def owner(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=2, name="张三丰")[0]
    return actor


@pytest.fixture
def case(owner: Citizen, clerk: Desk) -> Case:
    with transaction() as session:
        return make.accepted(session, owner, clerk.actor)


def _card(owner: Citizen) -> dict[str, str]:
    with transaction() as session:
        document = make.document_of(session, owner)
    return {"document_type": document.type.value, "document_number": document.number}


def test_a_passed_pre_review_at_the_counter(clerk: Desk, owner: Citizen) -> None:
    """PR-11; the second click with the same key gets the same case."""
    with transaction() as session:
        passed = papers.passed(session, owner, clerk.actor)
    body = {"prereview_id": str(passed.id), **_card(owner), "differences": [{"material_no": 1, "note": "原件有改动"}]}
    wrong = body | {"document_number": people.resident_id().number}
    assert clerk.post("", wrong, status=409)["code"] == "DOCUMENT_DIFFERS"
    first, again = (
        clerk.post("", body, status=201, key="accept-once"),
        clerk.post("", body, status=201, key="accept-once"),
    )
    assert first == again
    assert (first["state"], first["applicant"]) == ("UNDER_REVIEW", "张*丰")
    assert clerk.post("", body, status=409)["code"] == "STATE_CONFLICT"
    detail = clerk.get(f"/{first['id']}")
    assert detail["history"][0]["reason"] == "材料1：原件有改动"
    assert detail["prereview_id"] == str(passed.id)


def test_a_clerk_of_another_hall_finds_nothing(clerk: Desk, owner: Citizen, client: FlaskClient, staff: People) -> None:
    elsewhere = Desk(client, staff("FRONT_CLERK", hall_id=hall_id("NB-330203")))
    with transaction() as session:
        passed = papers.passed(session, owner, clerk.actor)
        case = make.received(session, owner, clerk.actor)
    elsewhere.post("", {"prereview_id": str(passed.id), **_card(owner)}, status=404)
    for path in ("accept", "issue"):
        elsewhere.post(f"/{case.id}/{path}", status=404)
    elsewhere.get(f"/{case.id}", status=404)
    assert elsewhere.get()["items"] == []


def test_a_walk_in_from_papers_to_the_counter(clerk: Desk, officer: Desk) -> None:
    """AP-20, then the whole of 2.4."""
    card = people.resident_id()
    body = {
        "name": "李奶奶",
        "document_type": "111",
        "document_number": card.number.lower(),
        "item_id": "NB-009",
        "phone": "19900000001",
    }
    made = clerk.post("/walk-in", body, status=201)
    path = f"/{made['id']}"
    assert made["state"] == "UNDER_REVIEW"
    assert card.number not in str(made)
    officer.post(f"{path}/suspend", {"name": "公告", "reason": "遗失公告"})
    officer.post(f"{path}/resume")
    assert officer.post(f"{path}/decide", {"granted": True})["state"] == "DECIDED_GRANT"
    officer.post(f"{path}/conclude", {"result_name": "不动产权证书", "result_number": "1"})
    assert clerk.post(f"{path}/issue")["state"] == "ISSUING"
    collected = clerk.post(f"{path}/collect", {"document_type": "111", "document_number": card.number})
    assert collected["state"] == "DELIVERED"


def test_receive_correct_and_refuse(clerk: Desk) -> None:
    body = {"name": "王五", "document_type": "111", "document_number": people.resident_id().number, "item_id": "NB-009"}
    path = f"/{clerk.post('/walk-in', body | {'accept': False}, status=201)['id']}"
    clerk.post(f"{path}/correction", {"defects": []}, status=422)
    assert clerk.post(f"{path}/correction", {"defects": ["缺页"]})["state"] == "CORRECTING"
    assert clerk.post(f"{path}/correction", {"defects": ["缺页"]}, status=409)["code"] == "CORRECTION_ALREADY_OPEN"
    other = f"/{clerk.post('/walk-in', body | {'accept': False}, status=201)['id']}"
    clerk.post(f"{other}/not-accept", {"reason": "不属本机关"}, status=422)
    refused = clerk.post(f"{other}/not-accept", {"reason": "不属本机关", "clause": "第32条"})
    assert refused["state"] == "NOT_ACCEPTED"
    third = f"/{clerk.post('/walk-in', body | {'accept': False}, status=201)['id']}"
    assert clerk.post(f"{third}/accept")["state"] == "UNDER_REVIEW"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("decide", {"granted": True}),
        ("suspend", {"name": "公告", "reason": "公告"}),
        ("resume", None),
        ("conclude", {"result_name": "证", "result_number": "1"}),
        ("extend", {"workdays": 5, "reason": "勘查"}),
    ],
)
def test_a_front_clerk_can_not_decide(clerk: Desk, case: Case, path: str, body: Any) -> None:
    """3.16."""
    assert clerk.post(f"/{case.id}/{path}", body, status=403)["code"] == "FORBIDDEN"
    assert make.row(case.id).state == "UNDER_REVIEW"


def test_an_officer_of_another_department_sees_nothing(client: FlaskClient, staff: People, case: Case) -> None:
    other = Desk(client, staff("BACK_OFFICER", department_id="D06"))
    assert other.get()["items"] == []
    other.get(f"/{case.id}", status=404)
    other.post(f"/{case.id}/decide", {"granted": True}, status=404)
    other.post(f"/{uuid4()}/decide", {"granted": True}, status=404)
    hall_manager = Desk(client, staff("HALL_MANAGER", hall_id=CITY_HALL))
    hall_manager.get(f"/{case.id}", status=403)


def test_an_officer_decides_and_does_not_accept(officer: Desk, case: Case) -> None:
    officer.post(f"/{case.id}/accept", status=403)
    officer.post(f"/{case.id}/collect", {"document_type": "111", "document_number": "1"}, status=403)
    assert officer.post(f"/{case.id}/decide", {"granted": False}, status=422)["code"] == "REASON_MISSING"
    refused = officer.post(f"/{case.id}/decide", {"granted": False, "reason": "有查封", "clause": "第22条"})
    assert refused["state"] == "DECIDED_REFUSE"


def test_a_manager_extends_once(client: FlaskClient, staff: People, case: Case) -> None:
    """C-6."""
    manager = Desk(client, staff("DEPARTMENT_MANAGER", department_id=make.DEPARTMENT))
    before = make.row(case.id).due_on
    manager.post(f"/{case.id}/extend", {"workdays": 11, "reason": "勘查"}, status=422)
    assert manager.post(f"/{case.id}/extend", {"workdays": 10, "reason": "勘查"})["due_on"] > before.isoformat()
    assert manager.post(f"/{case.id}/extend", {"workdays": 1, "reason": "勘查"}, status=409)["code"] == "EXTENSION_USED"


def test_the_list_is_filtered_and_the_longest_waiting_come_first(clerk: Desk, officer: Desk, owner: Citizen) -> None:
    with transaction() as session:
        old = make.received(session, owner, clerk.actor)
        running = make.accepted(session, owner, clerk.actor)
    assert [row["id"] for row in clerk.get()["items"]] == [str(old.id), str(running.id)]
    assert [row["id"] for row in officer.get("?state=RECEIVED")["items"]] == [str(old.id)]
    assert [row["id"] for row in officer.get(f"?number={running.number}")["items"]] == [str(running.id)]
    assert officer.get("?number=NB0000000000000")["items"] == []
    officer.get("?state=NONSENSE", status=422)


def test_reading_a_case_is_logged_and_masked(officer: Desk, case: Case, owner: Citizen) -> None:
    """P-5."""
    shown = officer.get(f"/{case.id}")
    assert shown["applicant"] == "张*丰"
    assert _card(owner)["document_number"] not in str(shown)
    with transaction() as session:
        logged = session.execute(
            text("SELECT actor FROM audit_entry WHERE action = 'case.read' AND object_id = :id"), {"id": str(case.id)}
        ).scalars()
        assert list(logged) == [officer.actor.audit_id]


def test_reads_stay_bounded(officer: Desk, clerk: Desk, owner: Citizen, count_queries: Callable[[], Any]) -> None:
    def cost(path: str) -> int:
        with count_queries() as queries:
            officer.get(path)
        return sum("case" in statement for statement in queries)

    with transaction() as session:
        case = make.accepted(session, owner, clerk.actor)
    before = cost("?limit=50"), cost(f"/{case.id}")
    with transaction() as session:
        for _ in range(4):
            make.accepted(session, owner, clerk.actor)
    assert (cost("?limit=50"), cost(f"/{case.id}")) == before
    assert before[0] == 1
    assert before[1] <= 5


def test_the_second_day_shows_the_same_due_day(officer: Desk, clerk: Desk, owner: Citizen) -> None:
    with clock.at(make.at("2026-11-24")), transaction() as session:
        case = make.accepted(session, owner, clerk.actor)
    for day, colour in (("2026-11-25", "GREEN"), ("2026-12-14", "AMBER"), ("2026-12-17", "RED")):
        with clock.at(make.at(day)):
            assert [row["colour"] for row in officer.get()["items"]] == [colour]
    shown = officer.get(f"/{case.id}")
    assert (shown["accepted_on"], shown["due_on"], shown["due_status"]) == ("2026-11-24", "2026-12-16", "FIRM")
