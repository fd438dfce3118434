"""Refunds for finance staff: ask for one, approve or reject what needs it, send a failed one again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.staff.confirmations.rules import Act
from auth.staff.roles import FINANCE
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import MAX_FEN, Fen, Moment, Text, Whole
from payments.refunds import queries, service
from payments.refunds.queries import RefundRow
from payments.refunds.rules import RefundState

blp = Blueprint("staff_refunds", __name__, url_prefix="/staff/v1/refunds", description="退款 / Refunds (staff)")


class RefundsIn(PageIn):
    """Filters of the list."""

    state = ma.fields.Enum(RefundState, by_value=True, load_default=None)
    bill_id = ma.fields.UUID(load_default=None)


class RefundIn(ma.Schema):
    """What goes back, and why (PY-10)."""

    bill_id = ma.fields.UUID(required=True)
    amount_fen = Whole(1, MAX_FEN, required=True, metadata={"description": "CNY in fen"})
    reason = Text(200, required=True)


class RejectRefundIn(ma.Schema):
    """Why the finance bureau refuses."""

    reason = Text(200, required=True)


class RefundOut(ma.Schema):
    """A refund."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    bill_id = ma.fields.UUID(required=True)
    order_id = ma.fields.UUID(required=True)
    state = ma.fields.String(required=True)
    amount_fen = Fen(required=True)
    reason = ma.fields.String(required=True)
    needs_approval = ma.fields.Boolean(required=True)
    approval_due = ma.fields.Date(required=True, allow_none=True)
    reject_reason = ma.fields.String(required=True)
    failure_code = ma.fields.String(required=True, allow_none=True, metadata={"description": "The platform's code"})
    requested_at = Moment(required=True)
    sent_at = Moment(required=True, allow_none=True)
    refunded_at = Moment(required=True, allow_none=True)


@blp.get("")
@access.staff(FINANCE)
@blp.arguments(RefundsIn, location="query")
@blp.response(200, page_out(RefundOut))
def list_refunds(args: dict[str, Any]) -> Page[RefundRow]:
    """List refunds, newest first."""
    with transaction() as session:
        return queries.page(session, args)


@blp.post("")
@access.staff(FINANCE, confirm=Act.REFUND)
@run_once
@blp.arguments(RefundIn)
@blp.response(201, RefundOut)
def request_refund(data: dict[str, Any]) -> RefundRow:
    """Give part or all of a paid bill back."""
    with transaction() as session:
        return service.request(session, actor=access.staff_actor(), **data)


@blp.post("/<uuid:refund_id>/approve")
@access.staff(FINANCE, confirm=Act.REFUND)
@blp.response(200, RefundOut)
def approve(refund_id: UUID) -> RefundRow:
    """Approve a refund of treasury money that somebody else asked for."""
    with transaction() as session:
        return service.approve(session, actor=access.staff_actor(), refund_id=refund_id)


@blp.post("/<uuid:refund_id>/reject")
@access.staff(FINANCE)
@blp.arguments(RejectRefundIn)
@blp.response(200, RefundOut)
def reject(data: dict[str, Any], refund_id: UUID) -> RefundRow:
    """Reject a refund of treasury money, with the reason."""
    with transaction() as session:
        return service.reject(session, actor=access.staff_actor(), refund_id=refund_id, **data)


@blp.post("/<uuid:refund_id>/retry")
@access.staff(FINANCE, confirm=Act.REFUND)
@blp.response(200, RefundOut)
def retry(refund_id: UUID) -> RefundRow:
    """Send a failed refund again."""
    with transaction() as session:
        return service.retry(session, actor=access.staff_actor(), refund_id=refund_id)
