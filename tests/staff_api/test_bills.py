"""Bills over HTTP: a clerk says which lines and how many, never how much (PY-1)."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from core.actors import Citizen
from core.db import transaction
from tests.factories import cases as make
from tests.factories import prereview as papers
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/staff/v1/bills"


@pytest.fixture
def owner(citizen: People) -> Citizen:
    actor: Citizen = citizen(level=2)[0]
    return actor


@pytest.fixture
def signed_in(staff: People) -> tuple[Any, dict[str, str]]:
    return staff("FRONT_CLERK", hall_id=CITY_HALL)


def _post(client: FlaskClient, headers: dict[str, str], body: Any, status: int, key: str = "") -> Any:
    answer = client.post(PATH, json=body, headers=headers | {"Idempotency-Key": key or str(uuid4())})
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_billing_a_passed_pre_review(client: FlaskClient, owner: Citizen, signed_in: Any) -> None:
    """RE-6: a home and two further certificates: 80 + 20 yuan. The same key bills once."""
    clerk, headers = signed_in
    with transaction() as session:
        passed = papers.passed(session, owner, clerk, answers=papers.NO_SPECIALS | {"separate_certificates": "yes"})
    body = {"prereview_id": str(passed.id), "quantities": {"1": 1, "3": 2}}
    first, again = (_post(client, headers, body, 201, "one-bill-please") for _ in range(2))
    assert first == again
    (bill,) = first["bills"]
    assert (bill["total_fen"], bill["payee"], bill["state"]) == (10_000, "财政非税账户", "ISSUED")
    with transaction() as session:
        assert session.execute(text("SELECT count(*), min(payer_id::text) FROM fee_bill")).one() == (
            1,
            str(owner.subject_id),
        )


def test_billing_an_accepted_case(client: FlaskClient, owner: Citizen, signed_in: Any) -> None:
    clerk, headers = signed_in
    with transaction() as session:
        waiting = make.received(session, owner, clerk)
        case = make.accepted(session, owner, clerk)
    body = {"case_id": str(case.id), "quantities": {"1": 1}}
    assert _post(client, headers, body, 201)["bills"][0]["total_fen"] == 1_000
    assert _post(client, headers, body | {"case_id": str(waiting.id)}, 409)["code"] == "STATE_CONFLICT"
    assert _post(client, headers, body | {"quantities": {"9": 1}}, 422)["code"] == "NOTHING_TO_BILL"


@pytest.mark.parametrize(
    "body",
    [
        {"quantities": {"1": 1}},
        {"case_id": str(uuid4()), "prereview_id": str(uuid4()), "quantities": {"1": 1}},
        {"case_id": str(uuid4()), "quantities": {}},
        {"case_id": str(uuid4()), "quantities": {"1": -1}},
        {"case_id": str(uuid4()), "quantities": {"1": 1.5}},
        {"case_id": str(uuid4()), "quantities": {"1": 1}, "amount_fen": 1},
    ],
)
def test_malformed_bills(client: FlaskClient, signed_in: Any, body: Any) -> None:
    _post(client, signed_in[1], body, 422)


def test_who_may_bill(client: FlaskClient, owner: Citizen, signed_in: Any, staff: People) -> None:
    clerk, _ = signed_in
    with transaction() as session:
        case = make.accepted(session, owner, clerk)
        passed = papers.passed(session, owner, clerk)
    _, officer = staff("BACK_OFFICER", department_id=make.DEPARTMENT)
    _, elsewhere = staff("FRONT_CLERK", hall_id=uuid4())
    quantities = {"quantities": {"1": 1}}
    _post(client, officer, {"case_id": str(case.id)} | quantities, 403)
    _post(client, elsewhere, {"case_id": str(case.id)} | quantities, 404)
    _post(client, elsewhere, {"prereview_id": str(passed.id)} | quantities, 404)
    _post(client, elsewhere, {"prereview_id": str(uuid4())} | quantities, 404)
