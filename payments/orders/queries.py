"""Reads of orders."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from payments.bills import queries as bills
from payments.orders.models import PayOrder
from payments.orders.rules import OrderState

Order = PayOrder
"""An order, as other features hold it."""


def order(session: Session, order_id: UUID) -> PayOrder:
    """Any order, for jobs and for `payments.refunds`. Raises `NotFound`."""
    found = session.get(PayOrder, order_id)
    if found is None:
        raise NotFound()
    return found


def owned(session: Session, order_id: UUID, owner_id: UUID) -> PayOrder:
    """An order of one of `owner_id`'s bills. Raises `NotFound`."""
    found = order(session, order_id)
    bills.owned(session, found.bill_id, owner_id)
    return found


def by_number(session: Session, order_no: str) -> PayOrder:
    """The order of our number at the platform. Raises `NotFound`."""
    found = session.scalar(select(PayOrder).where(PayOrder.order_no == order_no))
    if found is None:
        raise NotFound()
    return found


def of_bill(session: Session, bill_id: UUID, state: OrderState) -> PayOrder | None:
    """The bill's order that is waiting (CREATED), in the payer's hands (PAYING) or paid it (SUCCEEDED); there is at most one."""
    query = select(PayOrder).where(PayOrder.bill_id == bill_id, PayOrder.state == state)
    return session.scalars(query.order_by(PayOrder.attempt.desc()).limit(1)).first()
