"""Reads of refunds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.web.paging import Page, by_id
from payments.orders import queries as orders
from payments.orders.rules import OrderState
from payments.refunds.models import Refund
from payments.refunds.rules import COUNTED, IN_FLIGHT, RefundState

RefundRow = Refund
"""A refund, as other features hold it."""


def refund(session: Session, refund_id: UUID) -> Refund:
    """Any refund, for finance staff and jobs. Raises `NotFound`."""
    found = session.get(Refund, refund_id)
    if found is None:
        raise NotFound()
    return found


def page(session: Session, args: Mapping[str, Any]) -> Page[Refund]:
    """One page of all refunds for finance staff, newest first; `args` may hold a `state` and a `bill_id`."""
    query = select(Refund)
    if args.get("state"):
        query = query.where(Refund.state == args["state"])
    if args.get("bill_id"):
        query = query.where(Refund.bill_id == args["bill_id"])
    return by_id(session, query, Refund.id, args)


def of_bill(session: Session, bill_id: UUID) -> Sequence[Refund]:
    """The refunds of a bill, surplus money included, oldest first."""
    return session.scalars(select(Refund).where(Refund.bill_id == bill_id).order_by(Refund.id)).all()


def given_away(session: Session, order_id: UUID) -> int:
    """How much of an order went back or is on its way, in fen."""
    return _sum(session, order_id, COUNTED)


def standing(session: Session, order_id: UUID) -> tuple[int, int]:
    """How much of an order went back, and how much is on its way, in fen."""
    return _sum(session, order_id, frozenset({RefundState.REFUNDED})), _sum(session, order_id, IN_FLIGHT)


def refundable(session: Session, bill_id: UUID) -> int:
    """How much of a bill can still go back, in fen: 0 for one that isn't paid."""
    order = orders.of_bill(session, bill_id, OrderState.SUCCEEDED)
    return 0 if order is None else order.amount_fen - given_away(session, order.id)


def _sum(session: Session, order_id: UUID, states: frozenset[RefundState]) -> int:
    query = select(func.coalesce(func.sum(Refund.amount_fen), 0))
    return int(session.scalar(query.where(Refund.order_id == order_id, Refund.state.in_(states))) or 0)
