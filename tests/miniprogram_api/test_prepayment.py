"""Bills and paying them over HTTP (3.5)."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from core.actors import Citizen, System
from core.db import transaction
from payments.bills.queries import Bill
from payments.bills.rules import Line
from payments.refunds import service as refunds
from tests.factories import payments as make
from tests.sandbox_client import Sandbox

Headers = dict[str, str]


@pytest.fixture
def me(citizen: Callable[..., Any], sandbox: Sandbox) -> tuple[Citizen, Headers]:
    actor, headers = citizen(level=2)
    return actor, headers


@pytest.fixture
def headers(me: tuple[Citizen, Headers]) -> Headers:
    return me[1]


@pytest.fixture
def bill(me: tuple[Citizen, Headers]) -> Bill:
    with transaction() as session:
        return make.issue(session, me[0].subject_id)


def _once(headers: Headers) -> Headers:
    return {**headers, "Idempotency-Key": uuid4().hex}


def _start(client: FlaskClient, headers: Headers, bill: Bill, scene: str = "APP", **more: str) -> Any:
    path = f"/api/v1/prepayment/bills/{bill.id}/orders"
    return client.post(path, headers=_once(headers), json={"scene": scene, **more})


def _tell(client: FlaskClient, sandbox: Sandbox, bill: Bill) -> None:
    """Alipay's notice of the first attempt arrives."""
    assert make.deliver(client, *make.notices(sandbox, f"{bill.number}_1")) == (200, "success")


def test_pay_by_app(client: FlaskClient, headers: Headers, bill: Bill, sandbox: Sandbox) -> None:
    answer = _start(client, headers, bill)
    assert answer.status_code == 201
    order = answer.get_json()
    assert (order["state"], order["amount_fen"], order["scene"], order["surplus"]) == ("PAYING", 9000, "APP", None)
    assert order["pay"]["redirect_url"] is order["pay"]["trade_no"] is None
    paid = sandbox.post("alipay/pay", order_string=order["pay"]["order_string"], persona="zhang-wei")
    assert paid["resultStatus"] == "9000"
    _tell(client, sandbox, bill)
    shown = client.get(f"/api/v1/prepayment/orders/{order['order_id']}", headers=headers).get_json()
    assert (shown["state"], shown["pay"]) == ("SUCCEEDED", None)
    assert client.get(f"/api/v1/bills/{bill.id}", headers=headers).get_json()["state"] == "PAID"
    again = _start(client, headers, bill)
    assert (again.status_code, again.get_json()["code"]) == (409, "BILL_ALREADY_PAID")


def test_pay_by_browser_and_come_back(client: FlaskClient, headers: Headers, bill: Bill, sandbox: Sandbox) -> None:
    order = _start(client, headers, bill, "H5", return_path="/pay/done").get_json()
    cashier = requests.get(order["pay"]["redirect_url"], timeout=10)
    left = requests.post(cashier.url, data={"persona": "zhang-wei", "act": "pay"}, timeout=10, allow_redirects=False)
    assert left.headers["Location"].startswith("http://localhost/pay/done?")
    # The return page proves nothing: the order is paid when the notice or a query says so (PY-8).
    shown = client.get(f"/api/v1/prepayment/orders/{order['order_id']}", headers=headers).get_json()
    assert shown["state"] == "PAYING"


def test_asking_for_the_order_asks_the_platform(
    client: FlaskClient, headers: Headers, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    order = _start(client, headers, bill).get_json()
    sandbox.post("alipay/pay", order_string=order["pay"]["order_string"], persona="zhang-wei")
    path = f"/api/v1/prepayment/orders/{order['order_id']}"
    assert client.get(path, headers=headers).get_json()["state"] == "PAYING"
    run_jobs()
    assert client.get(path, headers=headers).get_json()["state"] == "SUCCEEDED"


def test_a_second_click_goes_on_with_the_same_order(client: FlaskClient, headers: Headers, bill: Bill) -> None:
    first, second = _start(client, headers, bill).get_json(), _start(client, headers, bill).get_json()
    assert first["order_id"] == second["order_id"]


def test_the_same_request_twice_is_answered_alike(client: FlaskClient, headers: Headers, bill: Bill) -> None:
    key = _once(headers)
    path = f"/api/v1/prepayment/bills/{bill.id}/orders"
    first, second = (client.post(path, headers=key, json={"scene": "APP"}) for _ in range(2))
    assert first.get_json() == second.get_json()
    assert second.headers["Idempotent-Replay"] == "true"
    assert client.post(path, headers=headers, json={"scene": "APP"}).get_json()["code"] == "IDEMPOTENCY_KEY_MISSING"


def test_changing_the_way_to_pay(
    client: FlaskClient, headers: Headers, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    _start(client, headers, bill, "H5")
    second = _start(client, headers, bill, "APP").get_json()
    assert (second["state"], second["pay"]) == ("CREATED", None)
    run_jobs()
    ready = client.get(f"/api/v1/prepayment/orders/{second['order_id']}", headers=headers).get_json()
    assert ready["state"] == "PAYING"
    assert ready["pay"]["order_string"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scene": "CASH"}, "scene"),
        ({}, "scene"),
        ({"scene": "APP", "amount_fen": 1}, "amount_fen"),
        ({"scene": "H5", "return_path": "https://evil.example"}, "return_path"),
        ({"scene": "MINI"}, "buyer_open_id"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    client: FlaskClient, headers: Headers, bill: Bill, body: dict[str, Any], field: str
) -> None:
    answer = client.post(f"/api/v1/prepayment/bills/{bill.id}/orders", headers=_once(headers), json=body)
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"]


def test_my_bills(client: FlaskClient, me: tuple[Citizen, Headers], headers: Headers) -> None:
    with transaction() as session:
        made = [make.issue(session, me[0].subject_id) for _ in range(3)]
        make.issue(session, me[0].subject_id, Line("工本费", "依据", "标准", 0, 1))
    first = client.get("/api/v1/bills?limit=2&state=ISSUED", headers=headers).get_json()
    rest = client.get(f"/api/v1/bills?limit=2&state=ISSUED&cursor={first['next_cursor']}", headers=headers).get_json()
    assert [bill["number"] for bill in first["items"] + rest["items"]] == [bill.number for bill in reversed(made)]
    assert rest["next_cursor"] is None
    assert len(client.get("/api/v1/bills", headers=headers).get_json()["items"]) == 4


def test_a_list_takes_few_queries(
    client: FlaskClient, me: tuple[Citizen, Headers], headers: Headers, count_queries: Callable[[], Any]
) -> None:
    with transaction() as session:
        for _ in range(15):
            make.issue(session, me[0].subject_id)
    client.get("/api/v1/bills", headers=headers)
    with count_queries() as queries:
        assert len(client.get("/api/v1/bills", headers=headers).get_json()["items"]) == 15
    assert len([query for query in queries if "fee_bill" in query]) == 1


def test_a_bill_names_its_lines_and_refunds(
    client: FlaskClient, headers: Headers, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    order = _start(client, headers, bill).get_json()
    sandbox.post("alipay/pay", order_string=order["pay"]["order_string"], persona="zhang-wei")
    _tell(client, sandbox, bill)
    with transaction() as session:
        refunds.request(session, actor=System("cases"), bill_id=bill.id, amount_fen=1000, reason="只需一本证书")
    run_jobs()
    shown = client.get(f"/api/v1/bills/{bill.id}", headers=headers).get_json()
    assert [(line["name"], line["amount_fen"]) for line in shown["lines"]] == [
        ("不动产登记费(住宅)", 8000),
        ("证书工本费(第二本起)", 1000),
    ]
    assert [(refund["amount_fen"], refund["state"]) for refund in shown["refunds"]] == [(1000, "REFUNDED")]
    assert shown["state"] == "PART_REFUNDED"


def test_the_voucher_says_that_it_is_no_invoice(
    client: FlaskClient, headers: Headers, bill: Bill, sandbox: Sandbox
) -> None:
    path = f"/api/v1/bills/{bill.id}/voucher"
    assert client.get(path, headers=headers).get_json()["code"] == "STATE_CONFLICT"
    order = _start(client, headers, bill).get_json()
    sandbox.post("alipay/pay", order_string=order["pay"]["order_string"], persona="zhang-wei")
    _tell(client, sandbox, bill)
    voucher = client.get(path, headers=headers).get_json()
    assert voucher["title"] == "预缴凭证"
    assert "不作为报销凭证" in voucher["notice"]
    assert (voucher["bill_number"], voucher["total_fen"]) == (bill.number, 9000)
    assert "*" in voucher["payer"]


def test_the_pay_code(client: FlaskClient, headers: Headers, bill: Bill, sandbox: Sandbox) -> None:
    """PY-4: somebody else sees number, masked name and amount, and can pay."""
    made = client.post(f"/api/v1/bills/{bill.id}/pay-code", headers=_once(headers))
    assert made.status_code == 201
    path = f"/api/v1/prepayment/pay-codes/{made.get_json()['code']}"
    shown = client.get(path)
    assert shown.status_code == 200
    body = shown.get_json()
    assert set(body) == {"bill_number", "payer", "payee", "total_fen", "state", "expires_at"}
    assert (body["bill_number"], body["total_fen"], body["state"]) == (bill.number, 9000, "ISSUED")
    assert "*" in body["payer"]
    order = client.post(f"{path}/orders", json={"scene": "APP"}).get_json()
    assert client.post(f"{path}/orders", json={"scene": "APP"}).get_json()["order_id"] == order["order_id"]
    paid = sandbox.post("alipay/pay", order_string=order["pay"]["order_string"], persona="li-na")
    assert paid["resultStatus"] == "9000"
    _tell(client, sandbox, bill)
    assert client.get(path).get_json()["state"] == "PAID"
    assert client.post(f"{path}/orders", json={"scene": "APP"}).get_json()["code"] == "BILL_ALREADY_PAID"


def test_pay_codes_can_not_be_guessed(client: FlaskClient, database: Flask) -> None:
    answers = [client.get(f"/api/v1/prepayment/pay-codes/WRNG-{i:04}-AAAA-AAAA").status_code for i in range(40)]
    assert set(answers) == {404, 429}
    assert answers[0] == 404
    assert answers[-1] == 429


def test_an_expired_bill_can_not_be_paid(client: FlaskClient, headers: Headers, bill: Bill) -> None:
    with transaction() as session:
        session.execute(text("UPDATE fee_bill SET expires_at = now()"))
    answer = _start(client, headers, bill)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "BILL_EXPIRED")


def test_others_find_nothing_of_mine(
    client: FlaskClient, headers: Headers, bill: Bill, citizen: Callable[..., Any]
) -> None:
    order = _start(client, headers, bill).get_json()
    _, theirs = citizen(level=2)
    answers = [
        client.get(f"/api/v1/bills/{bill.id}", headers=theirs),
        client.get(f"/api/v1/bills/{bill.id}/voucher", headers=theirs),
        client.post(f"/api/v1/bills/{bill.id}/pay-code", headers=_once(theirs)),
        _start(client, theirs, bill),
        client.get(f"/api/v1/prepayment/orders/{order['order_id']}", headers=theirs),
    ]
    missing = client.get(f"/api/v1/bills/{uuid4()}", headers=theirs)
    assert {answer.status_code for answer in answers} == {404}
    for answer in answers:
        assert answer.get_json()["code"] == missing.get_json()["code"]
        assert answer.get_json()["detail"] == missing.get_json()["detail"]


def test_paying_needs_level_2(client: FlaskClient, bill: Bill, citizen: Callable[..., Any]) -> None:
    _, weak = citizen(level=1)
    answer = _start(client, weak, bill)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "AUTH_LEVEL_TOO_LOW")
    assert client.get("/api/v1/bills").status_code == 401
