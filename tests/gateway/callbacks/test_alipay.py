"""Alipay's notices (PY-8): one payment is recorded once, whatever is sent, however often, in whatever order."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from core import callbacks, clock, events
from core.actors import Citizen, System
from core.db import transaction
from payments.bills import service as bills
from payments.bills.queries import Bill
from payments.orders.events import BillPaid
from payments.orders.queries import Order
from payments.refunds import service as refunds
from tests.factories import payments as make
from tests.sandbox_client import Sandbox

SUCCESS, FAILURE = (200, "success"), (400, "failure")
_heard: list[BillPaid] = []


def _hear(_session: object, event: BillPaid) -> None:
    _heard.append(event)


@pytest.fixture
def heard() -> Iterator[list[BillPaid]]:
    """The payments announced while the test runs."""
    events.subscribe(BillPaid, _hear)
    _heard.clear()
    yield _heard
    _heard.clear()


@pytest.fixture
def bill(citizen: Callable[..., Any], sandbox: Sandbox) -> Bill:
    with transaction() as session:
        return make.issue(session, citizen()[0].subject_id)


@pytest.fixture
def order(bill: Bill) -> Order:
    """An order in its payer's hands."""
    return make.start(Citizen(bill.payer_id, bill.payer_id, 2, "APP"), bill)


@pytest.fixture
def paid(order: Order, sandbox: Sandbox) -> Order:
    """An order paid at Alipay, which has not told us yet."""
    assert make.pay_at_alipay(sandbox, order) == "9000"
    return order


def _states() -> tuple[str, str]:
    return make.scalar("SELECT state FROM fee_bill"), make.scalar("SELECT state FROM pay_order")


def _stored() -> dict[str, int]:
    with transaction() as session:
        rows = session.execute(text("SELECT state, note, arrivals FROM partner_callback"))
        return {f"{row.state} {row.note}".strip(): row.arrivals for row in rows}


def test_a_notice_pays_the_bill(paid: Order, client: FlaskClient, sandbox: Sandbox, heard: list[BillPaid]) -> None:
    (body,) = make.notices(sandbox, paid.order_no)
    answer = client.post("/callbacks/alipay/notify", data=body, content_type=make.FORM)
    assert (answer.status_code, answer.get_data(), answer.mimetype) == (200, b"success", "text/plain")
    assert _states() == ("PAID", "SUCCEEDED")
    assert [event.amount_fen for event in heard] == [9000]
    assert _stored() == {"DONE": 1}


def test_a_replay_is_answered_with_success_and_changes_nothing(
    paid: Order, client: FlaskClient, sandbox: Sandbox, heard: list[BillPaid]
) -> None:
    (body,) = make.notices(sandbox, paid.order_no)
    assert [make.deliver(client, body) for _ in range(3)] == [SUCCESS] * 3
    assert len(heard) == 1
    assert _stored() == {"DONE": 3}


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        ("forged", "SIGNATURE_INVALID"),
        ("wrong_amount", "AMOUNT_MISMATCH"),
        ("wrong_seller", "WRONG_SELLER"),
        ("wrong_app", "WRONG_APP"),
        ("stale", "STALE"),
        ("unknown_order", "NOT_FOUND"),
    ],
)
def test_what_is_not_a_payment_of_this_order_is_refused(
    paid: Order, client: FlaskClient, sandbox: Sandbox, heard: list[BillPaid], variant: str, reason: str
) -> None:
    (body,) = make.notices(sandbox, paid.order_no, variant)
    assert make.deliver(client, body) == FAILURE
    assert _states() == ("ISSUED", "PAYING")
    assert heard == []
    assert make.ledger_sums() == {}
    assert _stored() == {f"REFUSED {reason}": 1}


def test_fifty_at_once_among_forgeries_make_one_payment(
    app: Flask, paid: Order, sandbox: Sandbox, heard: list[BillPaid]
) -> None:
    """The must-hold of PY-8: the same notice fifty times in parallel, with every kind of bad one in between."""
    (genuine,) = make.notices(sandbox, paid.order_no)
    bad = ("forged", "wrong_amount", "wrong_seller", "wrong_app", "stale", "unknown_order")
    sent = [(genuine, SUCCESS)] * 50
    for variant in bad:
        sent += [(body, FAILURE) for body in make.notices(sandbox, paid.order_no, variant, 5)]
    sent = sent[::3] + sent[1::3] + sent[2::3]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda item: make.deliver(app.test_client(), item[0]), sent))
    assert answers == [wanted for _, wanted in sent]
    assert _states() == ("PAID", "SUCCEEDED")
    assert len(heard) == 1
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 9000, f"PAYEE:{make.TREASURY}": -9000}
    assert make.scalar("SELECT count(*) FROM ledger_posting") == 1
    assert make.scalar("SELECT count(*) FROM audit_entry WHERE action = 'bill.paid'") == 1
    assert make.scalar("SELECT arrivals FROM partner_callback WHERE state = 'DONE'") == 50
    assert make.scalar("SELECT count(*) FROM partner_callback WHERE state = 'REFUSED'") == 30


def test_bad_notices_after_the_payment_change_nothing(
    paid: Order, client: FlaskClient, sandbox: Sandbox, heard: list[BillPaid]
) -> None:
    (body,) = make.notices(sandbox, paid.order_no)
    make.deliver(client, body)
    for variant in ("forged", "wrong_amount", "wrong_seller", "wrong_app", "stale", "unknown_order"):
        assert make.deliver(client, *make.notices(sandbox, paid.order_no, variant)) == FAILURE
    assert _states() == ("PAID", "SUCCEEDED")
    assert len(heard) == 1


def test_a_forgery_does_not_take_the_genuine_notice_s_place(paid: Order, client: FlaskClient, sandbox: Sandbox) -> None:
    """It carries the genuine notify_id, and comes first."""
    (genuine,) = make.notices(sandbox, paid.order_no)
    assert make.deliver(client, genuine.replace(b"9000", b"9001").replace(b"90.00", b"80.00")) == FAILURE
    assert make.deliver(client, genuine) == SUCCESS
    assert _states() == ("PAID", "SUCCEEDED")


def test_an_old_notice_sent_again_is_refused(paid: Order, client: FlaskClient, sandbox: Sandbox) -> None:
    """True time decides, not the business clock, which may be moved for a demonstration."""
    (body,) = make.notices(sandbox, paid.order_no)
    with clock.shift(timedelta(days=2)):
        assert make.deliver(client, body) == SUCCESS
    assert make.deliver(client, *make.notices(sandbox, paid.order_no, "stale")) == FAILURE


def test_a_refund_s_notice_is_no_payment(
    paid: Order,
    bill: Bill,
    client: FlaskClient,
    sandbox: Sandbox,
    heard: list[BillPaid],
    run_jobs: Callable[..., None],
) -> None:
    make.deliver(client, *make.notices(sandbox, paid.order_no))
    with transaction() as session:
        refunds.request(session, actor=System("cases"), bill_id=bill.id, amount_fen=3000, reason="多收退费")
    run_jobs()
    assert _states() == ("PART_REFUNDED", "SUCCEEDED")
    sent = sandbox.get("callbacks.json", partner="alipay", reference=paid.order_no)["callbacks"]
    assert any("refund_fee=30.00" in callback["body"] for callback in sent)
    for callback in sent:
        assert make.deliver(client, callback["body"].encode()) == SUCCESS
    assert _states() == ("PART_REFUNDED", "SUCCEEDED")
    assert len(heard) == 1
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 6000, f"PAYEE:{make.TREASURY}": -6000}


def test_the_answer_waits_for_the_commit(paid: Order, app: Flask, sandbox: Sandbox) -> None:
    """While another transaction holds the bill the notice isn't answered with success, and a later one is."""
    (body,) = make.notices(sandbox, paid.order_no)
    with transaction() as session:
        bills.lock(session, paid.bill_id)
        status, answer = make.deliver(app.test_client(), body)
    assert status >= 400
    assert answer != "success"
    assert _states() == ("ISSUED", "PAYING")
    assert make.deliver(app.test_client(), body) == SUCCESS


def test_what_is_no_form_is_refused(client: FlaskClient, database: Flask) -> None:
    for body in (b"", b"{}", b"\xff\xfe\x00", b"sign=x&sign=y"):
        assert make.deliver(client, body) == FAILURE


def test_the_raw_notice_is_kept_encrypted(paid: Order, client: FlaskClient, sandbox: Sandbox) -> None:
    (body,) = make.notices(sandbox, paid.order_no)
    make.deliver(client, body)
    kept = bytes(make.scalar("SELECT body FROM partner_callback"))
    assert paid.order_no.encode() not in kept
    with transaction() as session:
        assert callbacks.get(session, make.scalar("SELECT id FROM partner_callback")) == ("alipay", body)
