"""Money going back (PY-6, PY-7, PY-10, PY-11), with the sandbox's Alipay."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core import clock
from core.actors import Citizen, Staff, System
from core.db import transaction
from core.errors import NotFound, StateConflict
from payments.bills import service as bills
from payments.bills.queries import Bill
from payments.bills.rules import Line
from payments.orders.ports import PlatformState
from payments.orders.queries import Order
from payments.refunds import queries, service
from payments.refunds.errors import RefundExceedsPaid, SamePersonApproves
from payments.refunds.queries import RefundRow
from tests.factories import payments as make
from tests.sandbox_client import Sandbox

CASES = System("cases")
MAGIC_NO_REFUND_FEN = 999905
TREASURY_ACCOUNT = f"PAYEE:{make.TREASURY}"


def _finance() -> Staff:
    return Staff(uuid4(), uuid4(), frozenset({"FINANCE"}))


def _paid_bill(payer: Citizen, sandbox: Sandbox, run_jobs: Callable[..., None], *lines: Line) -> tuple[Bill, Order]:
    with transaction() as session:
        bill = make.issue(session, payer.subject_id, *lines)
    order = make.start(payer, bill)
    assert make.pay_at_alipay(sandbox, order) == "9000"
    run_jobs(all=True)
    assert make.bill_state(bill) == "PAID"
    return bill, order


@pytest.fixture
def paid(payer: Citizen, sandbox: Sandbox, run_jobs: Callable[..., None]) -> tuple[Bill, Order]:
    """A bill of 90.00 yuan, paid for real."""
    return _paid_bill(payer, sandbox, run_jobs)


def _refund(refund_id: UUID) -> RefundRow:
    with transaction() as session:
        return queries.refund(session, refund_id)


def _request(bill: Bill, amount: int, actor: Staff | System = CASES) -> RefundRow:
    with transaction() as session:
        return service.request(session, actor=actor, bill_id=bill.id, amount_fen=amount, reason="不予受理退费")


def _at_alipay(sandbox: Sandbox) -> dict[str, str]:
    return {
        refund["out_request_no"]: refund["amount"]
        for trade in sandbox.get("alipay/trades.json")["trades"]
        for refund in trade["refunds"]
    }


def test_a_full_refund(paid: tuple[Bill, Order], sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    bill, _ = paid
    refund = _request(bill, 9000)
    assert (refund.state, refund.needs_approval, make.bill_state(bill)) == ("REFUND_APPLIED", False, "REFUNDING")
    run_jobs()
    assert (_refund(refund.id).state, make.bill_state(bill)) == ("REFUNDED", "REFUNDED")
    assert _at_alipay(sandbox) == {refund.number: "90.00"}
    assert make.ledger_sums() == {}


def test_part_by_part_until_nothing_is_left(
    paid: tuple[Bill, Order], sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    bill, _ = paid
    first = _request(bill, 1000)
    run_jobs()
    assert make.bill_state(bill) == "PART_REFUNDED"
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 8000, TREASURY_ACCOUNT: -8000}
    with transaction() as session:
        assert queries.refundable(session, bill.id) == 8000
    with pytest.raises(RefundExceedsPaid):
        _request(bill, 8001)
    second = _request(bill, 8000)
    run_jobs()
    assert make.bill_state(bill) == "REFUNDED"
    assert _at_alipay(sandbox) == {first.number: "10.00", second.number: "80.00"}
    with pytest.raises(StateConflict):
        _request(bill, 1)


def test_a_part_refund_before_the_decision_leaves_a_rest_to_settle(
    paid: tuple[Bill, Order], run_jobs: Callable[..., None]
) -> None:
    bill, _ = paid
    _request(bill, 1000)
    with transaction() as session:
        assert bills.settle(session, actor=CASES, bill_id=bill.id).state == "REFUNDING"
    run_jobs()
    assert make.bill_state(bill) == "PART_REFUNDED"
    assert make.scalar("SELECT settled_at IS NOT NULL FROM fee_bill")


@pytest.mark.parametrize("amount", [0, -1, 9001])
def test_amounts_that_can_not_go_back(paid: tuple[Bill, Order], amount: int) -> None:
    with pytest.raises(RefundExceedsPaid):
        _request(paid[0], amount)


def test_unpaid_and_free_bills_give_nothing_back(payer: Citizen) -> None:
    with transaction() as session:
        unpaid = make.issue(session, payer.subject_id)
        free = make.issue(session, payer.subject_id, Line("工本费", "依据", "标准", 0, 1))
        assert queries.refundable(session, unpaid.id) == queries.refundable(session, free.id) == 0
    with pytest.raises(StateConflict):
        _request(unpaid, 1)
    with pytest.raises(RefundExceedsPaid):
        _request(free, 1)
    with pytest.raises(NotFound), transaction() as session:
        service.request(session, actor=CASES, bill_id=uuid4(), amount_fen=1, reason="没有这张缴款单")


def test_refunds_asked_for_at_once_stay_within_what_was_paid(paid: tuple[Bill, Order]) -> None:
    """Ten clerks ask for 20.00 of 90.00 in the same moment: four get it."""
    bill, _ = paid
    barrier = threading.Barrier(10)
    refused: list[type[Exception]] = []

    def ask() -> None:
        barrier.wait()
        try:
            _request(bill, 2000)
        except RefundExceedsPaid as refusal:
            refused.append(type(refusal))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 6
    assert make.scalar("SELECT sum(amount_fen) FROM refund") == 8000


def test_the_database_itself_refuses_to_give_back_more_than_came(paid: tuple[Bill, Order]) -> None:
    bill, order = paid
    insert = text(
        "INSERT INTO refund (id, number, bill_id, order_id, state, amount_fen, reason, needs_approval, requested_by,"
        " requested_at, reject_reason) VALUES (:id, :number, :bill, :order, :state, :amount, 'r', false, 'x', now(), '')"
    )

    def row(state: str, amount: int) -> dict[str, Any]:
        return {
            "id": uuid4(), "number": str(uuid4()), "bill": bill.id, "order": order.id, "state": state, "amount": amount
        }  # fmt: skip

    with transaction() as session:
        session.execute(insert, row("REFUND_APPLIED", 8999))
        session.execute(insert, row("REFUND_FAILED", 9000))
    for statement, values in (
        (insert, row("REFUND_APPLIED", 2)),
        (text("UPDATE refund SET amount_fen = 9001 WHERE state = 'REFUND_APPLIED'"), {}),
        (text("UPDATE refund SET state = 'REFUND_SENT' WHERE state = 'REFUND_FAILED'"), {}),
    ):
        with pytest.raises(IntegrityError, match="exceed what was paid"), transaction() as session:
            session.execute(statement, values)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE refund SET state = 'REFUNDED'", "refunded_has_time"),
        ("UPDATE refund SET state = 'REFUND_REJECTED'", "rejection_has_reason"),
        ("UPDATE refund SET reason = ''", "reason_given"),
        ("UPDATE refund SET state = 'LOST'", "state_known"),
    ],
)
def test_what_the_rules_forbid_the_database_forbids(paid: tuple[Bill, Order], statement: str, constraint: str) -> None:
    _request(paid[0], 1000)
    with pytest.raises(IntegrityError, match=f"ck_refund_{constraint}"), transaction() as session:
        session.execute(text(statement))


def test_a_refund_whose_answer_was_lost_is_sent_again_and_pays_once(
    paid: tuple[Bill, Order], sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    bill, _ = paid
    refund = _request(bill, 9000)
    sandbox.fault("alipay", "drop_response_after_effect")
    run_jobs()
    assert (_refund(refund.id).state, make.bill_state(bill)) == ("REFUND_SENT", "REFUNDING")
    with transaction() as session:
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE task_name = 'refunds.send'"))
    run_jobs()
    assert (_refund(refund.id).state, make.bill_state(bill)) == ("REFUNDED", "REFUNDED")
    assert _at_alipay(sandbox) == {refund.number: "90.00"}
    assert make.scalar("SELECT count(*) FROM ledger_posting WHERE kind = 'REFUND'") == 1


def test_a_refund_under_way_for_too_long_is_queued_again(
    paid: tuple[Bill, Order], sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    bill, _ = paid
    refund = _request(bill, 9000)
    sandbox.fault("alipay", "error")
    run_jobs()
    with transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))  # the tries are used up
    with transaction() as session:
        assert service.resend_overdue(session) == 0
    with clock.shift(timedelta(hours=2, minutes=1)), transaction() as session:
        assert service.resend_overdue(session) == 1
    run_jobs()
    assert _refund(refund.id).state == "REFUNDED"


def test_what_the_platform_refuses_waits_for_a_person(
    payer: Citizen, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    bill, _ = _paid_bill(payer, sandbox, run_jobs, Line("费用", "依据", "标准", MAGIC_NO_REFUND_FEN, 1))
    refund = _request(bill, MAGIC_NO_REFUND_FEN)
    run_jobs()
    failed = _refund(refund.id)
    assert (failed.state, failed.failure_code) == ("REFUND_FAILED", "ACQ.SELLER_BALANCE_NOT_ENOUGH")
    assert make.bill_state(bill) == "PAID"
    with transaction() as session:
        again = service.retry(session, actor=_finance(), refund_id=refund.id)
    assert (again.state, again.failure_code, make.bill_state(bill)) == ("REFUND_SENT", None, "REFUNDING")
    with pytest.raises(StateConflict), transaction() as session:
        service.retry(session, actor=_finance(), refund_id=refund.id)
    run_jobs()
    assert _refund(refund.id).state == "REFUND_FAILED"


def test_a_failed_refund_is_not_sent_again_beyond_what_is_left(
    payer: Citizen, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    bill, _ = _paid_bill(payer, sandbox, run_jobs, Line("费用", "依据", "标准", MAGIC_NO_REFUND_FEN, 1))
    refund = _request(bill, MAGIC_NO_REFUND_FEN)
    run_jobs()
    _request(bill, 1)
    with pytest.raises(RefundExceedsPaid), transaction() as session:
        service.retry(session, actor=_finance(), refund_id=refund.id)


@pytest.fixture
def settled(paid: tuple[Bill, Order]) -> Bill:
    """The paid bill once its matter was decided: its money lies in the treasury."""
    with transaction() as session:
        return bills.settle(session, actor=CASES, bill_id=paid[0].id)


def test_treasury_money_waits_for_another_person(settled: Bill, run_jobs: Callable[..., None]) -> None:
    clerk, other = _finance(), _finance()
    with clock.at(datetime(2026, 11, 24, 2, 0, tzinfo=UTC)):
        refund = _request(settled, 9000, clerk)
    assert refund.needs_approval
    assert refund.approval_due == date(2026, 12, 15)  # fifteen working days
    run_jobs()
    assert (_refund(refund.id).state, make.bill_state(settled)) == ("REFUND_APPLIED", "REFUNDING")
    with pytest.raises(SamePersonApproves), transaction() as session:
        service.approve(session, actor=clerk, refund_id=refund.id)
    with transaction() as session:
        assert service.approve(session, actor=other, refund_id=refund.id).state == "FINANCE_APPROVED"
    run_jobs()
    assert (_refund(refund.id).state, make.bill_state(settled)) == ("REFUNDED", "REFUNDED")
    with pytest.raises(StateConflict), transaction() as session:
        service.approve(session, actor=other, refund_id=refund.id)


def test_sending_again_is_no_way_around_the_approval(settled: Bill, run_jobs: Callable[..., None]) -> None:
    refund = _request(settled, 9000)
    with pytest.raises(StateConflict), transaction() as session:
        service.retry(session, actor=_finance(), refund_id=refund.id)
    with transaction() as session:
        assert service.begin_sending(session, refund_id=refund.id) is None
    run_jobs()
    assert _refund(refund.id).state == "REFUND_APPLIED"


def test_a_rejected_refund_leaves_the_bill_as_it_was(settled: Bill) -> None:
    refund = _request(settled, 9000)
    with transaction() as session:
        rejected = service.reject(session, actor=_finance(), refund_id=refund.id, reason="已超过退付期限")
    assert (rejected.state, make.bill_state(settled)) == ("REFUND_REJECTED", "SETTLED")
    with transaction() as session:
        assert queries.refundable(session, settled.id) == 9000


def test_only_what_awaits_approval_is_approved_or_rejected(paid: tuple[Bill, Order]) -> None:
    refund = _request(paid[0], 9000)
    with pytest.raises(StateConflict), transaction() as session:
        service.approve(session, actor=_finance(), refund_id=refund.id)
    with pytest.raises(StateConflict), transaction() as session:
        service.reject(session, actor=_finance(), refund_id=refund.id, reason="不同意")


def test_surplus_money_goes_back_once(payer: Citizen, bill: Bill) -> None:
    order = make.start(payer, bill)
    make.says(order, PlatformState.CLOSED)
    make.reports_paid(order)
    for _ in range(3):
        with transaction() as session:
            service.give_back(session, order_id=order.id)
    with transaction() as session:
        refunds = queries.of_bill(session, bill.id)
        assert [(refund.amount_fen, refund.needs_approval) for refund in refunds] == [(9000, False)]
    assert make.bill_state(bill) == "ISSUED"


def test_money_that_paid_its_bill_is_no_surplus(paid: tuple[Bill, Order]) -> None:
    with transaction() as session:
        service.give_back(session, order_id=paid[1].id)
    assert make.scalar("SELECT count(*) FROM refund") == 0
