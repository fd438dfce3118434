"""What happens to orders later. The platform is called between two transactions, never inside one."""

from __future__ import annotations

from uuid import UUID

from core import jobs, ports
from core.actors import System
from core.db import transaction
from core.ports import PartnerRefused
from payments.orders import queries, service
from payments.orders.models import PayOrder
from payments.orders.ports import PaymentPlatform
from payments.orders.rules import OrderState


@jobs.task("orders.query", queue="partners")
def query(order_id: str, step: int) -> None:
    """Ask the platform how a PAYING order stands, and plan the next question (PY-9)."""
    with transaction() as session:
        order = queries.order(session, UUID(order_id))
    if order.state != OrderState.PAYING:
        return
    seen = ports.get(PaymentPlatform).query(order.order_no)
    with transaction() as session:
        service.apply(session, actor=System("orders.query"), order_id=order.id, seen=seen)
        service.ask_later(session, order_id=order.id, step=step + 1)


@jobs.task("orders.prepare", queue="partners")
def prepare(order_id: str) -> None:
    """Close the earlier attempt, then let the new one go to its payer (PY-7)."""
    with transaction() as session:
        order = queries.order(session, UUID(order_id))
        earlier = queries.of_bill(session, order.bill_id, OrderState.PAYING)
    if earlier is not None and earlier.id != order.id:
        _close(earlier)
    with transaction() as session:
        request = service.prepare(session, order_id=order.id)
    if request is None:
        return
    try:
        trade_no = ports.get(PaymentPlatform).create(request)
    except PartnerRefused:
        trade_no = None
    with transaction() as session:
        service.created(session, order_id=order.id, trade_no=trade_no)


@jobs.task("orders.close_of_bill", queue="partners")
def close_of_bill(bill_id: str) -> None:
    """A bill was cancelled or expired: nobody shall be able to pay it any more."""
    with transaction() as session:
        service.drop_waiting(session, bill_id=UUID(bill_id))
        paying = queries.of_bill(session, UUID(bill_id), OrderState.PAYING)
    if paying is not None:
        _close(paying)


def _close(order: PayOrder) -> None:
    """Close an order at the platform and record how it stands then; the payer may have been quicker."""
    seen = ports.get(PaymentPlatform).close(order.order_no)
    with transaction() as session:
        service.apply(session, actor=System("orders.close"), order_id=order.id, seen=seen, closing=True)
