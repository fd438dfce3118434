"""Reads of bills. What a citizen asks for is always bound to the owner."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from core import security
from core.errors import NotFound, StateConflict
from core.web.paging import Page, by_id
from payments.bills.models import FeeBill
from payments.bills.rules import MONEY_RECEIVED, BillState, Matter, plain_pay_code

Bill = FeeBill
"""A bill, as other features hold it."""


def _found(bill: FeeBill | None) -> FeeBill:
    if bill is None:
        raise NotFound()
    return bill


def _with_lines(query: Select[FeeBill]) -> Select[FeeBill]:
    return query.options(selectinload(FeeBill.lines))


def page_owned(
    session: Session,
    owner_id: UUID,
    args: Mapping[str, Any],
    *,
    state: str | None = None,
    items: Collection[str] | None = None,
) -> Page[FeeBill]:
    """One page of `owner_id`'s bills, newest first, without their lines; `args` is a loaded `PageIn`, `items` narrow it."""
    query = select(FeeBill).where(FeeBill.payer_id == owner_id, FeeBill.state != BillState.DRAFT)
    if state is not None:
        query = query.where(FeeBill.state == state)
    if items is not None:
        query = query.where(FeeBill.item_id.in_(items))
    return by_id(session, query, FeeBill.id, args)


def owned(session: Session, bill_id: UUID, owner_id: UUID) -> FeeBill:
    """`owner_id`'s bill with its lines. Raises `NotFound`."""
    query = _with_lines(select(FeeBill)).where(FeeBill.id == bill_id, FeeBill.payer_id == owner_id)
    return _found(session.scalar(query))


def bill(session: Session, bill_id: UUID) -> FeeBill:
    """Any bill, with its lines, for staff and for other features. Raises `NotFound`."""
    return _found(session.scalar(_with_lines(select(FeeBill)).where(FeeBill.id == bill_id)))


def voucher(session: Session, bill_id: UUID, owner_id: UUID) -> FeeBill:
    """`owner_id`'s paid bill for its prepay voucher (PY-12). Raises `NotFound`, `StateConflict` for one that isn't paid."""
    found = owned(session, bill_id, owner_id)
    if found.state not in MONEY_RECEIVED:
        raise StateConflict()
    return found


def of_matter(session: Session, matter: Matter) -> Sequence[FeeBill]:
    """The bills of a matter with their lines, oldest first."""
    matter_type, matter_id = matter
    query = _with_lines(select(FeeBill)).where(FeeBill.matter_type == matter_type, FeeBill.matter_id == matter_id)
    return session.scalars(query.order_by(FeeBill.id)).all()


def by_pay_code(session: Session, code: str, now: datetime) -> FeeBill:
    """The bill of a pay code in force (PY-4). Raises `NotFound` for one that is unknown, replaced or over."""
    digest = security.lookup("pay_code", plain_pay_code(code))
    query = select(FeeBill).where(FeeBill.pay_code_lookup == digest, FeeBill.pay_code_until > now)
    return _found(session.scalar(query))
