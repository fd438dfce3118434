"""No path creates or loses money: random lives of bills, checked after every step (3.5, PY-7, PY-11)."""

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from core import clock
from core.actors import Citizen, Staff, System
from core.db import transaction
from core.errors import Problem
from core.money import Fen
from payments.bills import service as bills
from payments.orders import queries as order_queries
from payments.orders import service as orders
from payments.orders.ports import PlatformState, Seen
from payments.orders.rules import OrderState, Scene
from payments.refunds import service as refunds
from tests.factories import payments as make

pytestmark = pytest.mark.usefixtures("database")

STEPS = 250
ACTOR = System("test")


class World:
    """A city with one payer, where anything may happen to any bill, order or refund at any time."""

    def __init__(self, payer: Citizen, seed: int) -> None:
        self.payer = payer
        self.dice = random.Random(seed)  # noqa: S311  # a repeatable walk, not a secret
        self.done = 0

    def step(self) -> None:
        often = [self.start, self.hear, self.hear, self.ask_back, self.send]
        rarely = [self.issue, self.cancel, self.expire, self.settle, self.judge, self.retry, self.give_back]
        act = self.dice.choice([*often, *often, *rarely])
        try:
            act()
            self.done += 1
        except Problem:
            pass  # a refusal is a fine answer; what matters is what the database holds then

    def _any(self, table: str) -> UUID:
        with transaction() as session:
            ids = session.scalars(text(f"SELECT id FROM {table} ORDER BY id DESC LIMIT 4")).all()  # our own table names
        return self.dice.choice(ids) if ids else uuid4()

    def issue(self) -> None:
        with transaction() as session:
            make.issue(session, self.payer.subject_id)

    def start(self) -> None:
        scene = self.dice.choice([Scene.APP, Scene.H5])
        with transaction() as session:
            order = orders.start(session, actor=self.payer, bill_id=self._any("fee_bill"), scene=scene)
        if order.state == "CREATED" and self.dice.random() < 0.5:
            with transaction() as session:
                earlier = order_queries.of_bill(session, order.bill_id, OrderState.PAYING)
                if earlier is not None:
                    orders.apply(session, actor=ACTOR, order_id=earlier.id, seen=Seen(PlatformState.CLOSED))
            with transaction() as session:
                orders.prepare(session, order_id=order.id)

    def hear(self) -> None:
        order_id = self._any("pay_order")
        states = [PlatformState.PAID, PlatformState.PAID, PlatformState.CLOSED, PlatformState.NOT_OPENED]
        with transaction() as session:
            order = order_queries.order(session, order_id)
            seen = Seen(self.dice.choice(states), Fen(order.amount_fen), f"T{order_id}", clock.wall())
            orders.apply(session, actor=ACTOR, order_id=order_id, seen=seen, closing=self.dice.random() < 0.3)

    def cancel(self) -> None:
        with transaction() as session:
            bills.cancel(session, actor=ACTOR, bill_id=self._any("fee_bill"), reason="试验")

    def expire(self) -> None:
        with transaction() as session:
            bills.expire(session, bill=bills.lock(session, self._any("fee_bill")))

    def settle(self) -> None:
        with transaction() as session:
            bills.settle(session, actor=ACTOR, bill_id=self._any("fee_bill"))

    def ask_back(self) -> None:
        amount = self.dice.choice([1, 3000, 4500, 9000, 9001])
        with transaction() as session:
            refunds.request(session, actor=ACTOR, bill_id=self._any("fee_bill"), amount_fen=amount, reason="试验")

    def judge(self) -> None:
        finance = Staff(uuid4(), uuid4(), frozenset({"FINANCE"}))
        with transaction() as session:
            if self.dice.random() < 0.5:
                refunds.approve(session, actor=finance, refund_id=self._any("refund"))
            else:
                refunds.reject(session, actor=finance, refund_id=self._any("refund"), reason="试验")

    def send(self) -> None:
        with transaction() as session:
            refund = refunds.begin_sending(session, refund_id=self._any("refund"))
        if refund is not None:
            with transaction() as session:
                if self.dice.random() < 0.7:
                    refunds.finish(session, refund_id=refund.id)
                else:
                    refunds.fail(session, refund_id=refund.id, code="ACQ.TEST")

    def retry(self) -> None:
        finance = Staff(uuid4(), uuid4(), frozenset({"FINANCE"}))
        with transaction() as session:
            refunds.retry(session, actor=finance, refund_id=self._any("refund"))

    def give_back(self) -> None:
        with transaction() as session:
            refunds.give_back(session, order_id=self._any("pay_order"))


# Each finds the rows that break a law; none may.
LAWS = {
    "a posting sums to zero": "SELECT posting_id FROM ledger_entry GROUP BY posting_id HAVING sum(amount_fen) <> 0",
    "one success a bill": "SELECT bill_id FROM pay_order WHERE state = 'SUCCEEDED' GROUP BY bill_id HAVING count(*) > 1",
    "a bill is paid when an order succeeded": """
        SELECT id FROM fee_bill b WHERE (state IN ('PAID', 'SETTLED', 'REFUNDING', 'PART_REFUNDED', 'REFUNDED'))
        <> EXISTS (SELECT 1 FROM pay_order o WHERE o.bill_id = b.id AND o.state = 'SUCCEEDED')""",
    "money is received once an order, and posted once": """
        SELECT o.id FROM pay_order o LEFT JOIN ledger_posting p ON p.kind = 'PAYMENT' AND p.source_id = o.id
        WHERE (o.platform_paid_at IS NOT NULL) <> (p.id IS NOT NULL)""",
    "a refund is posted when it is done": """
        SELECT r.id FROM refund r LEFT JOIN ledger_posting p ON p.kind = 'REFUND' AND p.source_id = r.id
        WHERE (r.state = 'REFUNDED') <> (p.id IS NOT NULL)""",
    "refunds stay within what came": """
        SELECT o.id FROM pay_order o JOIN refund r ON r.order_id = o.id
        WHERE r.state NOT IN ('REFUND_FAILED', 'REFUND_REJECTED') GROUP BY o.id
        HAVING sum(r.amount_fen) > o.amount_fen OR bool_or(o.platform_paid_at IS NULL)""",
    "the platform holds what came less what went": """
        SELECT 1 WHERE
        (SELECT coalesce(sum(amount_fen), 0) FROM ledger_entry WHERE account = 'PLATFORM:ALIPAY') <>
        (SELECT coalesce(sum(amount_fen), 0) FROM pay_order WHERE platform_paid_at IS NOT NULL) -
        (SELECT coalesce(sum(amount_fen), 0) FROM refund WHERE state = 'REFUNDED')""",
    "a bill's state tells where its refunds stand": """
        SELECT b.id FROM fee_bill b JOIN pay_order o ON o.bill_id = b.id AND o.state = 'SUCCEEDED'
        LEFT JOIN refund r ON r.order_id = o.id GROUP BY b.id HAVING (b.state = 'REFUNDING') <>
        coalesce(bool_or(r.state IN ('REFUND_APPLIED', 'FINANCE_APPROVED', 'REFUND_SENT')), false)
        OR (b.state = 'REFUNDED') <> (coalesce(sum(r.amount_fen) FILTER (WHERE r.state = 'REFUNDED'), 0) = b.total_fen)""",
    "the surplus account holds what has not gone back": """
        SELECT 1 WHERE
        (SELECT coalesce(-sum(amount_fen), 0) FROM ledger_entry WHERE account = 'SURPLUS') <>
        (SELECT coalesce(sum(amount_fen), 0) FROM pay_order WHERE surplus IS NOT NULL) -
        (SELECT coalesce(sum(r.amount_fen), 0) FROM refund r JOIN pay_order o ON o.id = r.order_id
         WHERE r.state = 'REFUNDED' AND o.surplus IS NOT NULL)""",
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_the_books_are_right(citizen: Callable[..., Any], seed: int) -> None:
    world = World(citizen()[0], seed)
    for _ in range(STEPS):
        world.step()
        with transaction() as session:
            broken = {law: rows for law, query in LAWS.items() if (rows := session.execute(text(query)).all())}
        assert broken == {}
    assert world.done > STEPS / 4, "the walk must get somewhere"
    assert make.scalar("SELECT count(*) FROM pay_order WHERE surplus IS NOT NULL") > 0
    assert make.scalar("SELECT count(*) FROM refund WHERE state = 'REFUNDED'") > 0
