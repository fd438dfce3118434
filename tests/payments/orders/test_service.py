"""Paying a bill: attempts, what the platform says, and money that comes twice or too late (PY-6…PY-9)."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core import clock, ports
from core.actors import Citizen, System
from core.db import transaction
from core.errors import InvalidInput, NotFound, StateConflict
from core.money import Fen
from payments.bills import service as bills
from payments.bills.errors import BillAlreadyPaid, BillExpired
from payments.bills.queries import Bill
from payments.orders import queries, service
from payments.orders.errors import AmountMismatch
from payments.orders.ports import PaymentPlatform, PlatformState, Seen
from payments.orders.queries import Order
from payments.orders.rules import Scene
from tests.factories import payments as make
from tests.sandbox_client import Sandbox

TREASURY_ACCOUNT = f"PAYEE:{make.TREASURY}"


@pytest.fixture
def payer(citizen: Callable[..., Any], sandbox: Sandbox) -> Citizen:
    actor: Citizen = citizen()[0]
    return actor


@pytest.fixture
def bill(payer: Citizen) -> Bill:
    with transaction() as session:
        return make.issue(session, payer.subject_id)


def _start(payer: Citizen, bill: Bill, scene: Scene = Scene.APP, **more: str) -> Order:
    with transaction() as session:
        return service.start(session, actor=payer, bill_id=bill.id, scene=scene, **more)


def _order(order: Order) -> Order:
    with transaction() as session:
        return queries.order(session, order.id)


def _state(bill: Bill) -> str:
    return str(make.scalar("SELECT state FROM fee_bill WHERE id = :id", id=bill.id))


def _paid(order: Order, trade_no: str = "2026112422001", at: datetime | None = None) -> None:
    """The platform says that the order is paid."""
    seen = Seen(PlatformState.PAID, Fen(order.amount_fen), trade_no, at or clock.wall())
    with transaction() as session:
        service.apply(session, actor=System("test"), order_id=order.id, seen=seen)


def _says(order: Order, state: PlatformState, *, closing: bool = False) -> None:
    with transaction() as session:
        service.apply(session, actor=System("test"), order_id=order.id, seen=Seen(state), closing=closing)


def _jobs(name: str) -> list[dict[str, Any]]:
    with transaction() as session:
        rows = session.execute(
            text("SELECT args, scheduled_at FROM procrastinate_jobs WHERE task_name = :name ORDER BY id"),
            {"name": name},
        )
        return [{**row.args, "at": row.scheduled_at} for row in rows]


def test_the_second_click_returns_the_same_order(payer: Citizen, bill: Bill) -> None:
    first, second = _start(payer, bill), _start(payer, bill)
    assert (first.id, first.state, first.order_no) == (second.id, "PAYING", f"{bill.number}_1")
    assert make.scalar("SELECT count(*) FROM pay_order") == 1


def test_many_clicks_at_once_make_one_order(payer: Citizen, bill: Bill) -> None:
    ids: list[UUID] = []
    barrier = threading.Barrier(8)

    def click() -> None:
        barrier.wait()
        ids.append(_start(payer, bill).id)

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1


def test_somebody_else_s_bill_is_not_found(citizen: Callable[..., Any], bill: Bill) -> None:
    other, _ = citizen()
    with pytest.raises(NotFound):
        _start(other, bill)


def test_paid_and_expired_bills_take_no_order(payer: Citizen, bill: Bill) -> None:
    with clock.at(bill.expires_at), pytest.raises(BillExpired):
        _start(payer, bill)
    _paid(_start(payer, bill))
    with pytest.raises(BillAlreadyPaid):
        _start(payer, bill)


def test_the_browser_never_comes_back_to_another_site(payer: Citizen, bill: Bill) -> None:
    with pytest.raises(InvalidInput):
        _start(payer, bill, Scene.H5, return_path="//evil.example/")


def test_an_attempt_ends_with_the_bill(payer: Citizen) -> None:
    with transaction() as session:
        bill = make.issue(session, payer.subject_id, expires_at=clock.now() + timedelta(minutes=10))
    order = _start(payer, bill)
    assert timedelta(minutes=9) < order.until - clock.wall() <= timedelta(minutes=10)


def test_a_query_after_the_payment_pays_the_bill(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    order = _start(payer, bill)
    assert make.pay_at_alipay(sandbox, order) == "9000"
    run_jobs(all=True)
    order = _order(order)
    assert (order.state, order.surplus) == ("SUCCEEDED", None)
    assert order.trade_no
    assert _state(bill) == "PAID"
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 9000, TREASURY_ACCOUNT: -9000}


def test_questions_follow_one_another_until_the_end_is_known(
    payer: Citizen, bill: Bill, run_jobs: Callable[..., None]
) -> None:
    started = clock.wall()
    order = _start(payer, bill)
    for step, minutes in enumerate((1, 4, 10, 45)):
        asked = _jobs("orders.query")
        assert len(asked) == step + 1
        assert asked[-1]["step"] == step
        assert abs(asked[-1]["at"] - started - timedelta(minutes=minutes)) < timedelta(seconds=20)
        run_jobs(all=True)
    assert len(_jobs("orders.query")) == 4
    assert _order(order).state == "PAYING"  # nobody opened it and its link has not ended


def test_the_phone_may_ask_but_the_platform_is_asked_every_five_seconds_at_most(payer: Citizen, bill: Bill) -> None:
    order = _start(payer, bill)
    for _ in range(3):
        with transaction() as session:
            service.ask_now(session, order_id=order.id)
    assert len(_jobs("orders.query")) == 2  # the planned one and one of the three
    with transaction() as session:
        session.execute(text("UPDATE pay_order SET queried_at = queried_at - interval '5.1 seconds'"))
        service.ask_now(session, order_id=order.id)
    assert len(_jobs("orders.query")) == 3
    _says(order, PlatformState.CLOSED)
    with transaction() as session:
        session.execute(text("UPDATE pay_order SET queried_at = NULL"))
        service.ask_now(session, order_id=order.id)
    assert len(_jobs("orders.query")) == 3


def test_an_unopened_order_ends_with_its_link(payer: Citizen, bill: Bill) -> None:
    order = _start(payer, bill)
    _says(order, PlatformState.NOT_OPENED)
    _says(order, PlatformState.WAITING)
    assert _order(order).state == "PAYING"
    with transaction() as session:
        session.execute(text("UPDATE pay_order SET until = now() - interval '2 minutes'"))
    assert service.hand_over(_order(order)) is None
    _says(order, PlatformState.NOT_OPENED)
    assert _order(order).state == "CLOSED"
    again = _start(payer, bill)
    assert (again.order_no, again.state) == (f"{bill.number}_2", "PAYING")


def test_another_way_to_pay_closes_the_first_attempt(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    first = _start(payer, bill, Scene.H5)
    _visit(first)
    second = _start(payer, bill, Scene.APP)
    assert (second.state, service.hand_over(second)) == ("CREATED", None)
    assert _start(payer, bill, Scene.H5).id == second.id  # one waiting attempt is enough
    run_jobs()
    assert (_order(first).state, _order(second).state) == ("CLOSED", "PAYING")
    assert sandbox.get("alipay/trades.json")["trades"][0]["status"] == "TRADE_CLOSED"
    assert make.pay_at_alipay(sandbox, _order(second)) == "9000"


def _visit(order: Order) -> str:
    """The payer opens the cashier's page; where it stands."""
    handover = service.hand_over(order)
    assert handover is not None
    assert handover.redirect_url is not None
    return requests.get(handover.redirect_url, timeout=10).url


def test_closing_comes_too_late(payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    """The payer pays the first attempt while the second one waits: one payment, no second order."""
    first = _start(payer, bill, Scene.H5)
    page = _visit(first)
    second = _start(payer, bill, Scene.APP)
    requests.post(page, data={"persona": "zhang-wei", "act": "pay"}, timeout=10, allow_redirects=False)
    run_jobs()
    assert (_order(first).state, _order(second).state) == ("SUCCEEDED", "CLOSED")
    assert _state(bill) == "PAID"


def test_closing_is_tried_again_while_the_platform_is_away(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    first = _start(payer, bill, Scene.H5)
    second = _start(payer, bill, Scene.APP)
    sandbox.fault("alipay", "error")
    run_jobs()
    assert (_order(first).state, _order(second).state) == ("PAYING", "CREATED")
    with transaction() as session:
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE task_name = 'orders.prepare'"))
    run_jobs()
    assert (_order(first).state, _order(second).state) == ("CLOSED", "PAYING")


def test_a_mini_program_order_waits_for_its_trade_number(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    people = {person["key"]: person for person in sandbox.get("personas.json")["personas"]}
    order = _start(payer, bill, Scene.MINI, buyer_open_id=people["zhang-wei"]["alipay_user_id"])
    assert (order.state, service.hand_over(order)) == ("CREATED", None)
    run_jobs()
    order = _order(order)
    handover = service.hand_over(order)
    assert handover is not None
    assert handover.trade_no == order.trade_no
    sandbox.post("alipay/pay", out_trade_no=order.order_no, persona="zhang-wei")
    run_jobs(all=True)
    order = _order(order)
    assert (order.state, order.buyer) == ("SUCCEEDED", None)


def test_a_mini_program_order_the_platform_refuses(payer: Citizen, bill: Bill, run_jobs: Callable[..., None]) -> None:
    order = _start(payer, bill, Scene.MINI, buyer_open_id="2088000000000000")
    run_jobs()
    assert _order(order).state == "FAILED"
    assert _start(payer, bill).state == "PAYING"


def test_the_buyer_is_given_for_mini_and_only_there(payer: Citizen, bill: Bill) -> None:
    with pytest.raises(InvalidInput):
        _start(payer, bill, Scene.MINI)
    with pytest.raises(InvalidInput):
        _start(payer, bill, Scene.APP, buyer_open_id="2088009900000001")


def test_repeats_change_nothing(payer: Citizen, bill: Bill) -> None:
    order = _start(payer, bill)
    for _ in range(3):
        _paid(order)
    _says(order, PlatformState.CLOSED)
    _says(order, PlatformState.NOT_OPENED, closing=True)
    assert _order(order).state == "SUCCEEDED"
    assert make.scalar("SELECT count(*) FROM ledger_posting") == 1


def test_another_amount_is_not_accepted(payer: Citizen, bill: Bill) -> None:
    order = _start(payer, bill)
    for amount in (8999, 9001, None):
        seen = Seen(PlatformState.PAID, None if amount is None else Fen(amount), "2026112422001", clock.wall())
        with pytest.raises(AmountMismatch), transaction() as session:
            service.apply(session, actor=System("test"), order_id=order.id, seen=seen)
    assert (_order(order).state, _state(bill)) == ("PAYING", "ISSUED")


def test_a_payment_of_the_last_second_counts_however_late_it_is_told(payer: Citizen) -> None:
    with transaction() as session:
        bill = make.issue(session, payer.subject_id, expires_at=clock.now() + timedelta(minutes=10))
    order = _start(payer, bill)
    with clock.shift(timedelta(minutes=12)):
        _paid(order, at=clock.wall() - timedelta(minutes=2, seconds=5))
    assert (_order(order).state, _state(bill)) == ("SUCCEEDED", "PAID")


def _given_back(sandbox: Sandbox, order: Order) -> list[str]:
    trades = {trade["out_trade_no"]: trade for trade in sandbox.get("alipay/trades.json")["trades"]}
    return [refund["amount"] for refund in trades[order.order_no]["refunds"]]


def _pay_for_real(sandbox: Sandbox, order: Order) -> None:
    assert make.pay_at_alipay(sandbox, order) == "9000"


def test_money_for_an_expired_bill_goes_back(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    order = _start(payer, bill)
    _pay_for_real(sandbox, order)
    with clock.at(bill.expires_at + timedelta(minutes=1)):
        run_jobs(all=True)
        assert (_order(order).state, _order(order).surplus) == ("CLOSED", "LATE")
    assert _state(bill) == "EXPIRED"
    assert _given_back(sandbox, order) == ["90.00"]
    assert make.ledger_sums() == {}
    assert make.scalar("SELECT state FROM refund") == "REFUNDED"


def test_money_for_a_cancelled_bill_goes_back(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    order = _start(payer, bill)
    _pay_for_real(sandbox, order)
    with transaction() as session:
        bills.cancel(session, actor=System("test"), bill_id=bill.id, reason="不再需要")
    run_jobs()
    assert (_order(order).surplus, _state(bill)) == ("CANCELLED", "CANCELLED")
    assert _given_back(sandbox, order) == ["90.00"]


def test_cancelling_closes_what_could_still_be_paid(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    paying = _start(payer, bill, Scene.H5)
    waiting = _start(payer, bill, Scene.APP)
    with transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        bills.cancel(session, actor=System("test"), bill_id=bill.id, reason="不再需要")
    run_jobs()
    assert (_order(paying).state, _order(waiting).state) == ("CLOSED", "CLOSED")


def test_a_waiting_attempt_ends_with_its_bill(payer: Citizen, bill: Bill, run_jobs: Callable[..., None]) -> None:
    _start(payer, bill, Scene.H5)
    waiting = _start(payer, bill, Scene.APP)
    with clock.at(bill.expires_at):
        run_jobs()
    assert _order(waiting).state == "CLOSED"


def test_a_second_payment_goes_back_and_is_flagged(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    """The first attempt was never opened when it was closed, so its link still worked: both are paid."""
    first = _start(payer, bill, Scene.APP)
    old_link = service.hand_over(first)
    assert old_link is not None
    second = _start(payer, bill, Scene.H5)
    run_jobs()
    page = _visit(_order(second))
    requests.post(page, data={"persona": "zhang-wei", "act": "pay"}, timeout=10, allow_redirects=False)
    sandbox.post("alipay/pay", order_string=old_link.order_string, persona="zhang-wei")
    run_jobs(all=True)
    assert (_order(second).state, _state(bill)) == ("SUCCEEDED", "PAID")
    with transaction() as session:
        for body in make.notices(sandbox, first.order_no):
            service.apply_notice(session, notice=ports.get(PaymentPlatform).read_notice(body))
    run_jobs(all=True)
    assert (_order(first).state, _order(first).surplus) == ("CLOSED", "DUPLICATE")
    assert _given_back(sandbox, first) == ["90.00"]
    assert _given_back(sandbox, second) == []
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 9000, TREASURY_ACCOUNT: -9000}
    assert _state(bill) == "PAID"


def test_money_on_a_closed_attempt_goes_back_and_the_bill_stays_open(
    payer: Citizen, bill: Bill, run_jobs: Callable[..., None]
) -> None:
    order = _start(payer, bill)
    _says(order, PlatformState.CLOSED)
    _paid(order)
    order = _order(order)
    assert (order.state, order.surplus, _state(bill)) == ("CLOSED", "CLOSED", "ISSUED")
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 9000, "SURPLUS": -9000}
    assert len(_jobs("refunds.give_back")) == 1


def test_two_successes_at_once_leave_one(payer: Citizen, bill: Bill) -> None:
    """Both attempts are reported paid in the same moment, as from two notices on two servers."""
    first = _start(payer, bill)
    _says(first, PlatformState.CLOSED)
    second = _start(payer, bill)
    barrier = threading.Barrier(2)

    def report(order: Order, trade_no: str) -> None:
        barrier.wait()
        _paid(order, trade_no)

    threads = [threading.Thread(target=report, args=(order, f"T{i}")) for i, order in enumerate((first, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make.scalar("SELECT count(*) FROM pay_order WHERE state = 'SUCCEEDED'") == 1
    assert make.scalar("SELECT count(*) FROM pay_order WHERE surplus IS NOT NULL") == 1


def test_one_success_of_a_bill_is_the_database_s_rule_too(payer: Citizen, bill: Bill) -> None:
    _paid(_start(payer, bill))
    with pytest.raises(IntegrityError, match="uq_pay_order_one_live"), transaction() as session:
        session.execute(
            text(
                "INSERT INTO pay_order (id, bill_id, attempt, channel, scene, order_no, state, amount_fen, return_path,"
                " created_at, until, platform_paid_at) SELECT :id, bill_id, 2, channel, scene, 'X', state, amount_fen,"
                " '', created_at, until, platform_paid_at FROM pay_order"
            ),
            {"id": uuid4()},
        )


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE pay_order SET state = 'SUCCEEDED'", "received_when_paid"),
        ("UPDATE pay_order SET surplus = 'LATE', platform_paid_at = now()", "surplus_pays_nothing"),
        ("UPDATE pay_order SET amount_fen = 0", "amount_positive"),
        ("UPDATE pay_order SET state = 'LOST'", "state_known"),
    ],
)
def test_what_the_rules_forbid_the_database_forbids(
    payer: Citizen, bill: Bill, statement: str, constraint: str
) -> None:
    _start(payer, bill)
    with pytest.raises(IntegrityError, match=f"ck_pay_order_{constraint}"), transaction() as session:
        session.execute(text(statement))


def test_an_order_is_seen_by_its_payer_only(citizen: Callable[..., Any], payer: Citizen, bill: Bill) -> None:
    order, other = _start(payer, bill), citizen()[0]
    with transaction() as session:
        assert queries.owned(session, order.id, payer.owner_id).id == order.id
        with pytest.raises(NotFound):
            queries.owned(session, order.id, other.owner_id)


def test_a_cancelled_bill_takes_no_order(payer: Citizen, bill: Bill) -> None:
    with transaction() as session:
        bills.cancel(session, actor=System("test"), bill_id=bill.id, reason="不再需要")
    with pytest.raises(StateConflict):
        _start(payer, bill)
