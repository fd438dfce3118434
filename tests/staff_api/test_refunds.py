"""Refunds for finance staff over HTTP (PY-10, PY-11)."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from core.actors import Citizen, System
from core.db import transaction
from payments.bills import service as bills
from payments.bills.queries import Bill
from tests.factories import payments as make

Headers = dict[str, str]
PATH = "/staff/v1/refunds"


@pytest.fixture
def paid(citizen: Callable[..., Any]) -> Bill:
    """A bill whose money the platform has reported."""
    payer: Citizen = citizen()[0]
    with transaction() as session:
        bill = make.issue(session, payer.subject_id)
    make.reports_paid(make.start(payer, bill))
    return bill


@pytest.fixture
def finance(staff: Callable[..., Any]) -> Headers:
    headers: Headers = staff("FINANCE")[1]
    return headers


def _ask(client: FlaskClient, headers: Headers, bill: Bill, amount: object = 1000, **more: Any) -> Any:
    body = {"bill_id": str(bill.id), "amount_fen": amount, "reason": "多收退费", **more}
    return client.post(PATH, headers={**headers, "Idempotency-Key": uuid4().hex}, json=body)


def test_ask_and_list(client: FlaskClient, finance: Headers, paid: Bill) -> None:
    made = _ask(client, finance, paid)
    assert made.status_code == 201
    refund = made.get_json()
    assert (refund["state"], refund["amount_fen"], refund["needs_approval"]) == ("REFUND_APPLIED", 1000, False)
    second = _ask(client, finance, paid).get_json()
    for query in ("", f"?bill_id={paid.id}", "?state=REFUND_APPLIED"):
        listed = client.get(PATH + query, headers=finance).get_json()["items"]
        assert [row["number"] for row in listed] == [second["number"], refund["number"]]
    assert client.get(PATH + "?state=REFUNDED", headers=finance).get_json()["items"] == []


def test_more_than_was_paid(client: FlaskClient, finance: Headers, paid: Bill) -> None:
    answer = _ask(client, finance, paid, 9001)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "REFUND_EXCEEDS_PAID")
    assert "90.00" in answer.get_json()["detail"]


@pytest.mark.parametrize("amount", [0, -1, 10.5, "1000", True])
def test_amounts_are_whole_fen_above_zero(client: FlaskClient, finance: Headers, paid: Bill, amount: object) -> None:
    assert _ask(client, finance, paid, amount).status_code == 422


def test_only_finance(client: FlaskClient, staff: Callable[..., Any], paid: Bill) -> None:
    _, clerk = staff("FRONT_CLERK")
    assert _ask(client, clerk, paid).status_code == 403
    assert client.get(PATH, headers=clerk).status_code == 403
    assert client.get(PATH).status_code == 401


def test_approval_by_another_person(
    client: FlaskClient, finance: Headers, staff: Callable[..., Any], paid: Bill
) -> None:
    with transaction() as session:
        bills.settle(session, actor=System("test"), bill_id=paid.id)
    refund = _ask(client, finance, paid).get_json()
    assert refund["needs_approval"]
    assert refund["approval_due"] is not None
    path = f"{PATH}/{refund['id']}"
    own = client.post(f"{path}/approve", headers=finance)
    assert (own.status_code, own.get_json()["code"]) == (403, "REFUND_NEEDS_SECOND_PERSON")
    _, other = staff("FINANCE")
    assert client.post(f"{path}/approve", headers=other).get_json()["state"] == "FINANCE_APPROVED"
    assert client.post(f"{path}/approve", headers=other).status_code == 409


def test_rejection_with_its_reason(client: FlaskClient, finance: Headers, paid: Bill) -> None:
    with transaction() as session:
        bills.settle(session, actor=System("test"), bill_id=paid.id)
    path = f"{PATH}/{_ask(client, finance, paid).get_json()['id']}"
    assert client.post(f"{path}/reject", headers=finance, json={}).status_code == 422
    rejected = client.post(f"{path}/reject", headers=finance, json={"reason": "已超过退付期限"}).get_json()
    assert (rejected["state"], rejected["reject_reason"]) == ("REFUND_REJECTED", "已超过退付期限")


def test_only_what_failed_is_sent_again(client: FlaskClient, finance: Headers, paid: Bill) -> None:
    path = f"{PATH}/{_ask(client, finance, paid).get_json()['id']}"
    assert client.post(f"{path}/retry", headers=finance).status_code == 409
    assert client.post(f"{PATH}/{uuid4()}/retry", headers=finance).status_code == 404
