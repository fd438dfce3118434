"""A citizen's cases over HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from casework.cases import service
from casework.places.rules import hall_id
from core import clock
from core.actors import Citizen, Staff
from core.db import transaction
from tests.factories import cases as make
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/api/v1/cases"


class Phone:
    """The calls a phone makes."""

    def __init__(self, client: FlaskClient, actor: Citizen, headers: dict[str, str]) -> None:
        self.client, self.actor, self.headers = client, actor, headers

    def get(self, path: str = "", *, status: int = 200, language: str = "zh-CN") -> Any:
        answer = self.client.get(PATH + path, headers=self.headers | {"Accept-Language": language})
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.client.post(PATH + path, json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def put(self, path: str, body: Any, *, status: int = 200) -> Any:
        answer = self.client.put(PATH + path, json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()


@pytest.fixture
def phone(client: FlaskClient, citizen: People) -> Phone:
    actor, headers = citizen(level=2, name="张三丰")
    return Phone(client, actor, headers)


@pytest.fixture
def stranger(client: FlaskClient, citizen: People) -> Phone:
    actor, headers = citizen(level=3, name="王五")
    return Phone(client, actor, headers)


@pytest.fixture
def clerk(staff: People) -> Staff:
    actor: Staff = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    return actor


@pytest.fixture
def officer(staff: People) -> Staff:
    actor: Staff = staff("BACK_OFFICER", department_id=make.DEPARTMENT)[0]
    return actor


def test_the_timeline_names_departments_and_no_people(phone: Phone, clerk: Staff, officer: Staff) -> None:
    """QY-5: the internal reason stays inside."""
    with clock.at(make.at("2026-11-24")), transaction() as session:
        case = make.accepted(session, phone.actor, clerk)
        service.suspend(session, actor=officer, case_id=case.id, name="公告", reason="内部说明")
        service.resume(session, actor=officer, case_id=case.id)
    shown = phone.get(f"/{case.id}")
    assert [step["state_label"] for step in shown["timeline"]] == ["已收件", "已受理", "审查中", "特别程序", "审查中"]
    assert {step["department"] for step in shown["timeline"]} == {"宁波市自然资源和规划局"}
    assert [pause["name"] for pause in shown["pauses"]] == ["公告"]
    assert (shown["due_on"], shown["due_provisional"], shown["accepted_on"]) == ("2026-12-16", False, "2026-11-24")
    assert (shown["refusal"], shown["number"], shown["deemed_accepted"]) == (None, case.number, False)
    for hidden in ("内部说明", str(officer.staff_id), str(clerk.staff_id), "staff"):
        assert hidden not in str(shown)


def test_labels_come_in_the_citizens_language(phone: Phone, clerk: Staff) -> None:
    with transaction() as session:
        case = make.accepted(session, phone.actor, clerk)
    assert phone.get(f"/{case.id}", language="en")["state_label"] == "Under review"


def test_a_refusal_is_shown_with_its_remedy(phone: Phone, clerk: Staff, officer: Staff) -> None:
    """C-3."""
    with transaction() as session:
        case = make.accepted(session, phone.actor, clerk)
        service.decide(session, actor=officer, case_id=case.id, granted=False, reason="有查封", clause="第22条")
    refusal = phone.get(f"/{case.id}")["refusal"]
    assert (refusal["reason"], refusal["clause"]) == ("有查封", "第22条")
    assert "六十日" in refusal["remedy"]


def test_the_list_pages_newest_first(phone: Phone, stranger: Phone, clerk: Staff) -> None:
    with transaction() as session:
        made = [str(make.received(session, phone.actor, clerk).id) for _ in range(3)]
        make.received(session, stranger.actor, clerk)
    first = phone.get("?limit=2")
    rest = phone.get(f"?limit=2&cursor={first['next_cursor']}")
    assert [row["id"] for row in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None
    assert first["items"][0]["next_step"].startswith("等待受理")


def test_foreign_and_missing_cases_are_the_same_answer(phone: Phone, stranger: Phone, clerk: Staff) -> None:
    with transaction() as session:
        case = make.received(session, phone.actor, clerk)
    answers = []
    for case_id in (case.id, uuid4()):
        for answer in (
            stranger.get(f"/{case_id}", status=404),
            stranger.post(f"/{case_id}/withdraw", status=404),
            stranger.post(f"/{case_id}/correction", {"file_ids": [str(uuid4())]}, status=404),
        ):
            answer.pop("request_id")
            answers.append({name: value for name, value in answer.items() if name != "instance"})
    assert all(answer == answers[0] for answer in answers)
    assert make.row(case.id).state == "RECEIVED"


def test_withdrawing(phone: Phone, clerk: Staff) -> None:
    with transaction() as session:
        case = make.accepted(session, phone.actor, clerk)
    assert phone.post(f"/{case.id}/withdraw")["state"] == "WITHDRAWN"
    assert phone.post(f"/{case.id}/withdraw", status=409)["code"] == "STATE_CONFLICT"


def test_answering_a_correction(phone: Phone, stranger: Phone, clerk: Staff) -> None:
    """C-4: with own files only."""
    with transaction() as session:
        case = make.received(session, phone.actor, clerk)
        service.request_correction(session, actor=clerk, case_id=case.id, defects=["缺页", "缺签名"])
        own, foreign = papers.upload(session, phone.actor), papers.upload(session, stranger.actor)
    assert phone.get(f"/{case.id}")["corrections"][0]["defects"] == ["缺页", "缺签名"]
    phone.post(f"/{case.id}/correction", {"file_ids": []}, status=422)
    phone.post(f"/{case.id}/correction", {"file_ids": [str(foreign.id)]}, status=404)
    answered = phone.post(f"/{case.id}/correction", {"file_ids": [str(own.id)]})
    assert answered["state"] == "RECEIVED"
    assert answered["corrections"][0]["answered_at"] is not None
    phone.post(f"/{case.id}/correction", {"file_ids": [str(own.id)]}, status=409)


def test_choosing_where_to_collect(phone: Phone, stranger: Phone, clerk: Staff) -> None:
    """S12."""
    with transaction() as session:
        case = make.accepted(session, phone.actor, clerk)
    assert phone.get(f"/{case.id}")["issue_hall_id"] == str(CITY_HALL)
    wish = {"hall_id": str(hall_id("NB-330281"))}
    assert stranger.put(f"/{case.id}/collection-hall", wish, status=404)["code"] == "NOT_FOUND"
    moved = phone.put(f"/{case.id}/collection-hall", wish)
    assert (moved["accept_hall_id"], moved["issue_hall_id"]) == (str(CITY_HALL), wish["hall_id"])
    wrong = phone.put(f"/{case.id}/collection-hall", {"hall_id": str(uuid4())}, status=422)
    assert list(wrong["errors"]) == ["hall_id"]


def test_level_one_sees_no_cases(client: FlaskClient, citizen: People) -> None:
    """3.7: the own progress list needs level 2."""
    actor, headers = citizen(level=1)
    assert Phone(client, actor, headers).get(status=401)["code"] == "AUTH_LEVEL_TOO_LOW"


def test_reads_stay_bounded(phone: Phone, clerk: Staff, officer: Staff, count_queries: Callable[[], Any]) -> None:
    def cost(path: str) -> int:
        with count_queries() as queries:
            phone.get(path)
        return sum("case" in statement for statement in queries)

    with transaction() as session:
        case = make.accepted(session, phone.actor, clerk)
    before = cost("?limit=50"), cost(f"/{case.id}")
    with transaction() as session:
        for _ in range(4):
            make.accepted(session, phone.actor, clerk)
            service.suspend(session, actor=officer, case_id=case.id, name="公告", reason="公告")
            service.resume(session, actor=officer, case_id=case.id)
    assert (cost("?limit=50"), cost(f"/{case.id}")) == before
    assert before[0] == 1
    assert before[1] == 4
