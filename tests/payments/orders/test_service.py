"""Paying a bill: attempts, what the platform says, and money that comes twice or too late (PY-6…PY-9)."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core import clock
from core.actors import Citizen, System
from core.db import transaction
from core.errors import InvalidInput, NotFound, StateConflict
from core.money import Fen
from payments.bills import service as bills
from payments.bills.errors import BillAlreadyPaid, BillExpired
from payments.bills.queries import Bill
from payments.orders import queries, service
from payments.orders.errors import AmountMismatch
from payments.orders.ports import PlatformState, Seen
from payments.orders.rules import Scene
from tests.factories import payments as make
from tests.sandbox_client import Sandbox

TREASURY_ACCOUNT = f"PAYEE:{make.TREASURY}"


def _jobs(name: str) -> list[dict[str, Any]]:
    with transaction() as session:
        rows = session.execute(
            text("SELECT args, scheduled_at FROM procrastinate_jobs WHERE task_name = :name ORDER BY id"),
            {"name": name},
        )
        return [{**row.args, "at": row.scheduled_at} for row in rows]


def test_the_second_click_returns_the_same_order(payer: Citizen, bill: Bill) -> None:
    first, second = make.start(payer, bill), make.start(payer, bill)
    assert (first.id, first.state, first.order_no) == (second.id, "PAYING", f"{bill.number}_1")
    assert make.scalar("SELECT count(*) FROM pay_order") == 1


def test_many_clicks_at_once_make_one_order(payer: Citizen, bill: Bill) -> None:
    ids: list[UUID] = []
    barrier = threading.Barrier(8)

    def click() -> None:
        barrier.wait()
        ids.append(make.start(payer, bill).id)

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
        make.start(other, bill)


def test_paid_and_expired_bills_take_no_order(payer: Citizen, bill: Bill) -> None:
    with clock.at(bill.expires_at), pytest.raises(BillExpired):
        make.start(payer, bill)
    make.reports_paid(make.start(payer, bill))
    with pytest.raises(BillAlreadyPaid):
        make.start(payer, bill)


def test_the_browser_never_comes_back_to_another_site(payer: Citizen, bill: Bill) -> None:
    with pytest.raises(InvalidInput):
        make.start(payer, bill, Scene.H5, return_path="//evil.example/")


def test_an_attempt_ends_with_the_bill(payer: Citizen) -> None:
    with transaction() as session:
        bill = make.issue(session, payer.subject_id, expires_at=clock.now() + timedelta(minutes=10))
    order = make.start(payer, bill)
    assert timedelta(minutes=9) < order.until - clock.wall() <= timedelta(minutes=10)


def test_a_query_after_the_payment_pays_the_bill(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    order = make.start(payer, bill)
    assert make.pay_at_alipay(sandbox, order) == "9000"
    run_jobs(all=True)
    order = make.fresh(order)
    assert (order.state, order.surplus) == ("SUCCEEDED", None)
    assert order.trade_no
    assert make.bill_state(bill) == "PAID"
    assert make.ledger_sums() == {"PLATFORM:ALIPAY": 9000, TREASURY_ACCOUNT: -9000}


def test_questions_follow_one_another_until_the_end_is_known(
    payer: Citizen, bill: Bill, run_jobs: Callable[..., None]
) -> None:
    started = clock.wall()
    order = make.start(payer, bill)
    for step, minutes in enumerate((1, 4, 10, 45)):
        asked = _jobs("orders.query")
        assert len(asked) == step + 1
        assert asked[-1]["step"] == step
        assert abs(asked[-1]["at"] - started - timedelta(minutes=minutes)) < timedelta(seconds=20)
        run_jobs(all=True)
    assert len(_jobs("orders.query")) == 4
    assert make.fresh(order).state == "PAYING"  # nobody opened it and its link has not ended


def test_the_phone_may_ask_but_the_platform_is_asked_every_five_seconds_at_most(payer: Citizen, bill: Bill) -> None:
    order = make.start(payer, bill)
    for _ in range(3):
        with transaction() as session:
            service.ask_now(session, order_id=order.id)
    assert len(_jobs("orders.query")) == 2  # the planned one and one of the three
    with transaction() as session:
        session.execute(text("UPDATE pay_order SET queried_at = queried_at - interval '5.1 seconds'"))
        service.ask_now(session, order_id=order.id)
    assert len(_jobs("orders.query")) == 3
    make.says(order, PlatformState.CLOSED)
    with transaction() as session:
        session.execute(text("UPDATE pay_order SET queried_at = NULL"))
        service.ask_now(session, order_id=order.id)
    assert len(_jobs("orders.query")) == 3


def test_an_unopened_order_ends_with_its_link(payer: Citizen, bill: Bill) -> None:
    order = make.start(payer, bill)
    make.says(order, PlatformState.NOT_OPENED)
    make.says(order, PlatformState.WAITING)
    assert make.fresh(order).state == "PAYING"
    with transaction() as session:
        session.execute(text("UPDATE pay_order SET until = now() - interval '2 minutes'"))
    assert service.hand_over(make.fresh(order)) is None
    make.says(order, PlatformState.NOT_OPENED)
    assert make.fresh(order).state == "CLOSED"
    again = make.start(payer, bill)
    assert (again.order_no, again.state) == (f"{bill.number}_2", "PAYING")


def test_another_way_to_pay_closes_the_first_attempt(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    first = make.start(payer, bill, Scene.H5)
    make.visit(first)
    second = make.start(payer, bill, Scene.APP)
    assert (second.state, service.hand_over(second)) == ("CREATED", None)
    assert make.start(payer, bill, Scene.H5).id == second.id  # one waiting attempt is enough
    run_jobs()
    assert (make.fresh(first).state, make.fresh(second).state) == ("CLOSED", "PAYING")
    assert sandbox.get("alipay/trades.json")["trades"][0]["status"] == "TRADE_CLOSED"
    assert make.pay_at_alipay(sandbox, make.fresh(second)) == "9000"


def test_closing_comes_too_late(payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    """The payer pays the first attempt while the second one waits: one payment, no second order."""
    first = make.start(payer, bill, Scene.H5)
    page = make.visit(first)
    second = make.start(payer, bill, Scene.APP)
    requests.post(page, data={"persona": "zhang-wei", "act": "pay"}, timeout=10, allow_redirects=False)
    run_jobs()
    assert (make.fresh(first).state, make.fresh(second).state) == ("SUCCEEDED", "CLOSED")
    assert make.bill_state(bill) == "PAID"


def test_closing_is_tried_again_while_the_platform_is_away(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    first = make.start(payer, bill, Scene.H5)
    second = make.start(payer, bill, Scene.APP)
    sandbox.fault("alipay", "error")
    run_jobs()
    assert (make.fresh(first).state, make.fresh(second).state) == ("PAYING", "CREATED")
    with transaction() as session:
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE task_name = 'orders.prepare'"))
    run_jobs()
    assert (make.fresh(first).state, make.fresh(second).state) == ("CLOSED", "PAYING")


def test_a_mini_program_order_waits_for_its_trade_number(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    people = {person["key"]: person for person in sandbox.get("personas.json")["personas"]}
    order = make.start(payer, bill, Scene.MINI, buyer_open_id=people["zhang-wei"]["alipay_user_id"])
    assert (order.state, service.hand_over(order)) == ("CREATED", None)
    run_jobs()
    order = make.fresh(order)
    handover = service.hand_over(order)
    assert handover is not None
    assert handover.trade_no == order.trade_no
    sandbox.post("alipay/pay", out_trade_no=order.order_no, persona="zhang-wei")
    run_jobs(all=True)
    order = make.fresh(order)
    assert (order.state, order.buyer) == ("SUCCEEDED", None)


def test_a_mini_program_order_the_platform_refuses(payer: Citizen, bill: Bill, run_jobs: Callable[..., None]) -> None:
    order = make.start(payer, bill, Scene.MINI, buyer_open_id="2088000000000000")
    run_jobs()
    assert make.fresh(order).state == "FAILED"
    assert make.start(payer, bill).state == "PAYING"


def test_the_buyer_is_given_for_mini_and_only_there(payer: Citizen, bill: Bill) -> None:
    with pytest.raises(InvalidInput):
        make.start(payer, bill, Scene.MINI)
    with pytest.raises(InvalidInput):
        make.start(payer, bill, Scene.APP, buyer_open_id="2088009900000001")


def test_repeats_change_nothing(payer: Citizen, bill: Bill) -> None:
    order = make.start(payer, bill)
    for _ in range(3):
        make.reports_paid(order)
    make.says(order, PlatformState.CLOSED)
    make.says(order, PlatformState.NOT_OPENED, closing=True)
    assert make.fresh(order).state == "SUCCEEDED"
    assert make.scalar("SELECT count(*) FROM ledger_posting") == 1


def test_another_amount_is_not_accepted(payer: Citizen, bill: Bill) -> None:
    order = make.start(payer, bill)
    for amount in (8999, 9001, None):
        seen = Seen(PlatformState.PAID, None if amount is None else Fen(amount), "2026112422001", clock.wall())
        with pytest.raises(AmountMismatch), transaction() as session:
            service.apply(session, actor=System("test"), order_id=order.id, seen=seen)
    assert (make.fresh(order).state, make.bill_state(bill)) == ("PAYING", "ISSUED")


def test_cancelling_closes_what_could_still_be_paid(
    payer: Citizen, bill: Bill, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    paying = make.start(payer, bill, Scene.H5)
    waiting = make.start(payer, bill, Scene.APP)
    with transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        bills.cancel(session, actor=System("test"), bill_id=bill.id, reason="不再需要")
    run_jobs()
    assert (make.fresh(paying).state, make.fresh(waiting).state) == ("CLOSED", "CLOSED")


def test_a_waiting_attempt_ends_with_its_bill(payer: Citizen, bill: Bill, run_jobs: Callable[..., None]) -> None:
    make.start(payer, bill, Scene.H5)
    waiting = make.start(payer, bill, Scene.APP)
    with clock.at(bill.expires_at):
        run_jobs()
    assert make.fresh(waiting).state == "CLOSED"


def test_one_success_of_a_bill_is_the_database_s_rule_too(payer: Citizen, bill: Bill) -> None:
    make.reports_paid(make.start(payer, bill))
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
    make.start(payer, bill)
    with pytest.raises(IntegrityError, match=f"ck_pay_order_{constraint}"), transaction() as session:
        session.execute(text(statement))


def test_an_order_is_seen_by_its_payer_only(citizen: Callable[..., Any], payer: Citizen, bill: Bill) -> None:
    order, other = make.start(payer, bill), citizen()[0]
    with transaction() as session:
        assert queries.owned(session, order.id, payer.owner_id).id == order.id
        with pytest.raises(NotFound):
            queries.owned(session, order.id, other.owner_id)


def test_a_cancelled_bill_takes_no_order(payer: Citizen, bill: Bill) -> None:
    with transaction() as session:
        bills.cancel(session, actor=System("test"), bill_id=bill.id, reason="不再需要")
    with pytest.raises(StateConflict):
        make.start(payer, bill)
