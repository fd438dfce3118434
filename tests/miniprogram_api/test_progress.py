"""Progress over HTTP, without an account."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from casework.cases.queries import Case
from core.db import transaction
from tests.factories import cases as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/api/v1/progress/lookup"


@pytest.fixture
def case(citizen: People, staff: People) -> Case:
    owner, _ = citizen(level=2, name="张三丰")
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    with transaction() as session:
        return make.accepted(session, owner, clerk)


def _known(case: Case) -> dict[str, str]:
    return {"case_number": case.number, "name": "张三丰", "id_tail": case.applicant_document[-4:]}


def test_nothing_personal_is_shown(client: FlaskClient, case: Case) -> None:
    answer = client.post(PATH, json=_known(case))
    assert answer.status_code == 200, answer.text
    assert set(answer.json or {}) == {
        "case_number", "item_name", "hall_name", "applicant", "state", "state_label", "last_step_at", "promised_on",
        "provisional", "next_step",
    }  # fmt: skip
    assert answer.json["applicant"] == "张*丰"  # type: ignore[index]
    assert answer.json["state_label"] == "审查中"  # type: ignore[index]
    assert case.applicant_document not in answer.text
    assert "张三丰" not in answer.text
    assert "no-store" in answer.headers["Cache-Control"]


def test_in_english(client: FlaskClient, case: Case) -> None:
    answer = client.post(PATH, json=_known(case), headers={"Accept-Language": "en"})
    assert answer.get_json()["next_step"] == "Under review; nothing to do"


def test_every_mismatch_is_the_same_answer(client: FlaskClient, case: Case) -> None:
    """QY-1: bodies that differ in nothing but the request's id."""
    bodies = set()
    for wrong in (
        {"name": "王五"},
        {"id_tail": "zzzz"},
        {"case_number": "NB2611240000010"},
        {"case_number": "一二三"},
        {"case_number": "' OR 1=1 --"},
    ):
        answer = client.post(PATH, json=_known(case) | wrong)
        assert answer.status_code == 404
        body = answer.get_json()
        body.pop("request_id")
        bodies.add(str(sorted(body.items())))
    assert len(bodies) == 1
    assert "CASE_NOT_MATCHED" in bodies.pop()


def test_a_locked_number_says_when_to_come_back(client: FlaskClient, case: Case) -> None:
    for _ in range(5):
        client.post(PATH, json=_known(case) | {"name": "王五"})
    answer = client.post(PATH, json=_known(case))
    assert (answer.status_code, answer.get_json()["code"]) == (429, "QUERY_LOCKED")
    assert int(answer.headers["Retry-After"]) > 3500


@pytest.mark.parametrize(
    "wrong",
    [{"id_tail": "123"}, {"id_tail": "12345"}, {"id_tail": "１２３４"}, {"name": ""}, {"extra": 1}, {"name": None}],
)
def test_malformed_questions_are_refused(client: FlaskClient, case: Case, wrong: dict[str, Any]) -> None:
    assert client.post(PATH, json=_known(case) | wrong).status_code == 422
