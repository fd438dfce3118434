"""Bills, and people paying them at the sandbox's Alipay."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import requests
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import clock
from core.actors import Citizen, System
from core.db import transaction
from core.money import Fen
from payments.bills import service as bills
from payments.bills.queries import Bill
from payments.bills.rules import Line
from payments.orders import queries as order_queries
from payments.orders import service as orders
from payments.orders.ports import PlatformState, Seen
from payments.orders.queries import Order
from payments.orders.rules import Scene
from tests.sandbox_client import Sandbox

TREASURY = "财政非税账户"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
FEE = Line("不动产登记费(住宅)", "发改价格规〔2016〕2559号", "2016", 8000, 1)
COPY = Line("证书工本费(第二本起)", "发改价格规〔2016〕2559号", "2016", 1000, 1)


def issue(
    session: Session,
    payer_id: UUID,
    *lines: Line,
    payee: str = TREASURY,
    matter: tuple[str, UUID] | None = None,
    expires_at: datetime | None = None,
) -> Bill:
    """A bill of 90.00 yuan (a registration and a second certificate) unless other lines are given."""
    matter_type, matter_id = matter or ("case", uuid4())
    return bills.issue(
        session,
        actor=System("test"),
        payer_id=payer_id,
        payee=payee,
        lines=lines or (FEE, COPY),
        matter_type=matter_type,
        matter_id=matter_id,
        matter_name="房屋所有权转移登记",
        expires_at=expires_at,
    )


def pay_at_alipay(sandbox: Sandbox, order: Order, persona: str = "zhang-wei") -> str:
    """The payer opens the order (APP) in the Alipay app and pays; the app's resultStatus, 9000 for success."""
    handover = orders.hand_over(order)
    assert handover is not None
    answer = sandbox.post("alipay/pay", order_string=handover.order_string, persona=persona)
    return str(answer["resultStatus"])


def notices(sandbox: Sandbox, order_no: str, variant: str = "repeat", count: int = 1) -> list[bytes]:
    """Bodies of notices about an order, as the sandbox signs them."""
    made = sandbox.post("alipay/notify", out_trade_no=order_no, variant=variant, count=count, send=False)
    return [sent["body"].encode() for sent in made["sent"]]


def deliver(client: FlaskClient, body: bytes) -> tuple[int, str]:
    """Send a notice to the callback; status and text of the answer."""
    answer = client.post("/callbacks/alipay/notify", data=body, content_type=FORM)
    return answer.status_code, answer.get_data(as_text=True)


def scalar(statement: str, **values: Any) -> Any:
    """One value straight from the database."""
    with transaction() as session:
        return session.execute(text(statement), values).scalar_one()


def ledger_sums() -> dict[str, int]:
    """What each account of the ledger comes to, accounts at zero left out."""
    with transaction() as session:
        rows = session.execute(text("SELECT account, sum(amount_fen) FROM ledger_entry GROUP BY account"))
        return {account: int(total) for account, total in rows if total}


def start(payer: Citizen, bill: Bill, scene: Scene = Scene.APP, **more: str) -> Order:
    """The payer begins to pay."""
    with transaction() as session:
        return orders.start(session, actor=payer, bill_id=bill.id, scene=scene, **more)


def fresh(order: Order) -> Order:
    """The order as it stands now."""
    with transaction() as session:
        return order_queries.order(session, order.id)


def bill_state(bill: Bill) -> str:
    """The bill's state now."""
    return str(scalar("SELECT state FROM fee_bill WHERE id = :id", id=bill.id))


def says(order: Order, state: PlatformState, *, closing: bool = False) -> None:
    """The platform says how an unpaid order stands."""
    with transaction() as session:
        orders.apply(session, actor=System("test"), order_id=order.id, seen=Seen(state), closing=closing)


def reports_paid(order: Order, trade_no: str = "2026112422001", at: datetime | None = None) -> None:
    """The platform says that the order is paid."""
    seen = Seen(PlatformState.PAID, Fen(order.amount_fen), trade_no, at or clock.wall())
    with transaction() as session:
        orders.apply(session, actor=System("test"), order_id=order.id, seen=seen)


def visit(order: Order) -> str:
    """The payer opens the cashier's page of an H5 order; where it stands."""
    handover = orders.hand_over(order)
    assert handover is not None
    assert handover.redirect_url is not None
    return requests.get(handover.redirect_url, timeout=10).url
