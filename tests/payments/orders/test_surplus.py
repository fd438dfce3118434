"""Money that comes twice, too late or for nothing goes back by itself (PY-6, PY-7)."""

import threading
from collections.abc import Callable
from datetime import timedelta

import requests

from core import clock, ports
from core.actors import Citizen, System
from core.db import transaction
from payments.bills import service as bills
from payments.bills.queries import Bill
from payments.orders import service
from payments.orders.ports import PaymentPlatform, PlatformState
from payments.orders.queries import Order
from payments.orders.rules import Scene
from tests.factories import payments as make
from tests.sandbox_client import Sandbox

TREASURY_ACCOUNT = f"PAYEE:{make.TREASURY}"


def test_a_payment_of_the_last_second_counts_however_late_it_is_told(payer: Citizen) -> None:
    with transaction() as session:
        bill = make.issue(session, payer.subject_id, expires_at=clock.now() + timedelta(minutes=10))
    order = make.start(payer, bill)
    with clock.shift(timedelta(minutes=12)):
        make.reports_paid(order, at=clock.wall() - timedelta(minutes=2, seconds=5))
    assert (make.fresh(order).state, make.bill_state(bill)) == ("SUCCEEDED", "PAID")


def _given_back(sandbox: Sandbox, order: Order) -> list[str]:
    trades = {trade["out_trade_no"]: trade for trade in sandbox.get("alipay/trades.json")["trades"]}
    return [refund["amount"] for refund in trades[order.order_no]["refunds"]]


def _pay_for_real(sandbox: Sandbox, order: Order) -> None:
    assert make.pay_at_alipay(sandbox, order) == "9000"


def test_money_for_an_expired_bill_goes_back(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    order = make.start(payer, bill)
    _pay_for_real(sandbox, order)
    with clock.at(bill.expires_at + timedelta(minutes=1)):
        run_jobs(all=True)
        assert (make.fresh(order).state, make.fresh(order).surplus) == ("CLOSED", "LATE")
    assert make.bill_state(bill) == "EXPIRED"
    assert _given_back(sandbox, order) == ["90.00"]
    assert make.ledger_sums() == {}
    assert make.scalar("SELECT state FROM refund") == "REFUNDED"


def test_money_for_a_cancelled_bill_goes_back(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    order = make.start(payer, bill)
    _pay_for_real(sandbox, order)
    with transaction() as session:
        bills.cancel(session, actor=System("test"), bill_id=bill.id, reason="不再需要")
    run_jobs()
    assert (make.fresh(order).surplus, make.bill_state(bill)) == ("CANCELLED", "CANCELLED")
    assert _given_back(sandbox, order) == ["90.00"]


def test_a_second_payment_goes_back_and_is_flagged(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    """The first attempt was never opened when it was closed, so its link still worked: both are paid."""
    first = make.start(payer, bill, Scene.APP)
    old_link = service.hand_over(first)
    assert old_link is not None
    second = make.start(payer, bill, Scene.H5)
    run_jobs()
    page = make.visit(make.fresh(second))
    requests.post(page, data={"persona": "zhang-wei", "act": "pay"}, timeout=10, allow_redirects=False)
    sandbox.post("alipay/pay", order_string=old_link.order_string, persona="zhang-wei")
    run_jobs(all=True)
    assert (make.fresh(second).state, make.bill_state(bill)) == ("SUCCEEDED", "PAID")
    with transaction() as session:
        for body in make.notices(sandbox, first.order_no):
            service.apply_notice(session, notice=ports.get(PaymentPlatform).read_notice(body))
    run_jobs(all=True)
    assert (make.fresh(first).state, make.fresh(first).surplus) == ("CLOSED", "DUPLICATE")
    assert _given_back(sandbox, first) == ["90.00"]
    assert _given_back(sandbox, second) == []
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 9000, TREASURY_ACCOUNT: -9000}
    assert make.bill_state(bill) == "PAID"


def test_money_on_a_closed_attempt_goes_back_and_the_bill_stays_open(
    payer: Citizen, bill: Bill, run_jobs: Callable[..., None]
) -> None:
    order = make.start(payer, bill)
    make.says(order, PlatformState.CLOSED)
    make.reports_paid(order)
    order = make.fresh(order)
    assert (order.state, order.surplus, make.bill_state(bill)) == ("CLOSED", "CLOSED", "ISSUED")
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 9000, "SURPLUS": -9000}
    assert make.scalar("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'refunds.give_back'") == 1


def test_two_successes_at_once_leave_one(payer: Citizen, bill: Bill) -> None:
    """Both attempts are reported paid in the same moment, as from two notices on two servers."""
    first = make.start(payer, bill)
    make.says(first, PlatformState.CLOSED)
    second = make.start(payer, bill)
    barrier = threading.Barrier(2)

    def report(order: Order, trade_no: str) -> None:
        barrier.wait()
        make.reports_paid(order, trade_no)

    threads = [threading.Thread(target=report, args=(order, f"T{i}")) for i, order in enumerate((first, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make.scalar("SELECT count(*) FROM pay_order WHERE state = 'SUCCEEDED'") == 1
    assert make.scalar("SELECT count(*) FROM pay_order WHERE surplus IS NOT NULL") == 1
