"""Bills of a citizen and paying them: own bills, orders, the pay code for somebody else, the voucher."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from casework.fees import service as fees
from core import clock
from core.actors import Action, Capacity
from core.db import transaction
from core.limits import Limit
from core.masking import mask_name
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Code, Fen, Moment
from payments.bills import queries as bills
from payments.bills import service as bill_service
from payments.bills.queries import Bill
from payments.bills.rules import BillState
from payments.orders import queries as orders
from payments.orders import service as order_service
from payments.orders.queries import Order
from payments.orders.rules import Scene
from payments.refunds import queries as refunds

blp = Blueprint("prepayment", __name__, url_prefix="/api/v1", description="缴费 / Bills and payment")

LEVEL = 2
SEES = (Action.VIEW, Action.PAY)
PAY_CODE_LIMIT = Limit("pay-code", 30, 60)
VOUCHER_NOTICE = "预缴凭证，不作为报销凭证。费用确定后开具财政电子票据。"


class BillsIn(PageIn):
    """Filters of the list."""

    state = ma.fields.Enum(BillState, by_value=True, load_default=None)


class BillSummaryOut(ma.Schema):
    """A line of the list."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    matter_type = ma.fields.String(required=True)
    matter_id = ma.fields.UUID(required=True)
    matter_name = ma.fields.String(required=True)
    payee = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    total_fen = Fen(required=True)
    issued_at = Moment(required=True)
    expires_at = Moment(required=True)
    paid_at = Moment(required=True, allow_none=True)


class BillLineOut(ma.Schema):
    """One fee, with its basis (PY-2)."""

    name = ma.fields.String(required=True)
    basis = ma.fields.String(required=True)
    standard = ma.fields.String(required=True)
    unit_fen = Fen(required=True)
    quantity = ma.fields.Integer(required=True)
    relief_fen = Fen(required=True)
    relief_reason = ma.fields.String(required=True)
    amount_fen = Fen(required=True)


class BillRefundOut(ma.Schema):
    """Money that goes back, for its payer."""

    number = ma.fields.String(required=True)
    amount_fen = Fen(required=True)
    state = ma.fields.String(required=True)
    requested_at = Moment(required=True)
    refunded_at = Moment(required=True, allow_none=True)


class BillOut(BillSummaryOut):
    """A bill with its lines and refunds."""

    lines = ma.fields.List(ma.fields.Nested(BillLineOut), required=True)
    refunds = ma.fields.List(ma.fields.Nested(BillRefundOut), required=True)


class VoucherOut(ma.Schema):
    """The prepay voucher (PY-12): it says that it is no invoice."""

    title = ma.fields.Constant("预缴凭证")
    notice = ma.fields.Constant(VOUCHER_NOTICE)
    bill_number = ma.fields.String(required=True)
    payer = ma.fields.String(required=True, metadata={"description": "Masked name"})
    payee = ma.fields.String(required=True)
    matter_name = ma.fields.String(required=True)
    lines = ma.fields.List(ma.fields.Nested(BillLineOut), required=True)
    total_fen = Fen(required=True)
    paid_at = Moment(required=True)


class StartPaymentIn(ma.Schema):
    """How the payer wants to pay."""

    scene = ma.fields.Enum(
        Scene,
        by_value=True,
        required=True,
        metadata={"description": "APP: Alipay app by its SDK; H5: the cashier's page; MINI: Alipay's mini-program"},
    )
    return_path = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(max=200),
        metadata={
            "description": "H5: the path on this site to come back to. Coming back proves nothing: ask the order"
        },
    )
    buyer_open_id = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(max=64),
        metadata={"description": "MINI only: the payer's id at Alipay"},
    )


class PayOut(ma.Schema):
    """What opens the cashier: one of the three."""

    order_string = ma.fields.String(required=True, allow_none=True)
    redirect_url = ma.fields.String(required=True, allow_none=True)
    trade_no = ma.fields.String(required=True, allow_none=True)


class PayField(ma.fields.Nested):
    """What opens the cashier of an order, signed when it is shown."""

    def get_value(self, obj: Order, *_: Any, **__: Any) -> Any:
        """The handover, or None when there is nothing to pay (any more)."""
        return order_service.hand_over(obj)


class OrderOut(ma.Schema):
    """An attempt to pay. `pay` is there while it can be paid; for CREATED ask again in a second or two."""

    order_id = ma.fields.UUID(attribute="id", required=True)
    bill_id = ma.fields.UUID(required=True)
    scene = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    amount_fen = Fen(required=True)
    acted_by = Code(
        Capacity, required=True, allow_none=True, metadata={"description": "As what somebody pays; null: by a pay code"}
    )
    surplus = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Set when money came that pays no bill and goes back: DUPLICATE, LATE, CANCELLED, CLOSED"
        },
    )
    until = Moment(required=True, metadata={"description": "When this attempt ends"})
    pay = PayField(PayOut, required=True, allow_none=True)


class PayCodeOut(ma.Schema):
    """A code by which somebody else can pay this bill."""

    code = ma.fields.String(required=True)
    expires_at = Moment(required=True)


class PayCodeBillOut(ma.Schema):
    """What somebody with the pay code may see (PY-4): number, masked name, amount."""

    bill_number = ma.fields.String(required=True)
    payer = ma.fields.String(required=True, metadata={"description": "Masked name"})
    payee = ma.fields.String(required=True)
    total_fen = Fen(required=True)
    state = ma.fields.String(required=True)
    expires_at = Moment(required=True)


def _beside(bill: Bill, **more: object) -> dict[str, object]:
    """A bill as it was read, with what is shown beside it."""
    return {**vars(bill), **more}


def _masked_payer(session: Session, bill: Bill) -> str:
    name = people.person(session, bill.payer_id).name
    return mask_name(name) if name else "**"


@blp.get("/bills")
@access.citizen(level=LEVEL, acts=SEES)
@blp.arguments(BillsIn, location="query")
@blp.response(200, page_out(BillSummaryOut))
def list_bills(args: dict[str, Any]) -> Page[Bill]:
    """List my bills."""
    with transaction() as session:
        return fees.page_of_actor(session, access.citizen_actor(), args, state=args["state"])


@blp.get("/bills/<uuid:bill_id>")
@access.citizen(level=LEVEL, acts=SEES)
@blp.response(200, BillOut)
def get_bill(bill_id: UUID) -> dict[str, Any]:
    """Show one of my bills with its lines and refunds."""
    with transaction() as session:
        bill = fees.open_to(session, actor=access.citizen_actor(), bill_id=bill_id)
        return _beside(bill, refunds=refunds.of_bill(session, bill.id))


@blp.get("/bills/<uuid:bill_id>/voucher")
@access.citizen(level=LEVEL, acts=SEES)
@blp.response(200, VoucherOut)
def get_voucher(bill_id: UUID) -> dict[str, Any]:
    """Show the prepay voucher of one of my paid bills."""
    with transaction() as session:
        fees.open_to(session, actor=access.citizen_actor(), bill_id=bill_id)
        bill = bills.voucher(session, bill_id, access.citizen_actor().owner_id)
        return _beside(bill, bill_number=bill.number, payer=_masked_payer(session, bill))


@blp.post("/bills/<uuid:bill_id>/pay-code")
@access.citizen(level=LEVEL, acts=Action.PAY)
@run_once
@blp.response(201, PayCodeOut)
def make_pay_code(bill_id: UUID) -> dict[str, Any]:
    """Make a code by which somebody else can pay one of my bills."""
    with transaction() as session:
        fees.open_to(session, actor=access.citizen_actor(), bill_id=bill_id, action=Action.PAY)
        code, until = bill_service.make_pay_code(session, actor=access.citizen_actor(), bill_id=bill_id)
    return {"code": code, "expires_at": until}


@blp.post("/prepayment/bills/<uuid:bill_id>/orders")
@access.citizen(level=LEVEL, acts=Action.PAY)
@run_once
@blp.arguments(StartPaymentIn)
@blp.response(201, OrderOut)
def start_order(data: dict[str, Any], bill_id: UUID) -> Order:
    """Begin to pay one of my bills, or go on with the running attempt."""
    with transaction() as session:
        fees.open_to(session, actor=access.citizen_actor(), bill_id=bill_id, action=Action.PAY)
        return order_service.start(session, actor=access.citizen_actor(), bill_id=bill_id, **data)


@blp.get("/prepayment/orders/<uuid:order_id>")
@access.citizen(level=LEVEL, acts=SEES)
@blp.response(200, OrderOut)
def get_order(order_id: UUID) -> Order:
    """Show how one of my orders stands; while it is being paid, the platform is asked."""
    with transaction() as session:
        order = orders.owned(session, order_id, access.citizen_actor().owner_id)
        fees.open_to(session, actor=access.citizen_actor(), bill_id=order.bill_id)
        order_service.ask_now(session, order_id=order.id)
        return order


@blp.get("/prepayment/pay-codes/<string:code>")
@access.public("whoever holds the code may pay for its bill; it is unguessable", limit=PAY_CODE_LIMIT)
@blp.response(200, PayCodeBillOut)
def get_pay_code(code: str) -> dict[str, Any]:
    """Show what the bill of a pay code comes to."""
    with transaction() as session:
        bill = bills.by_pay_code(session, code, clock.now())
        return _beside(bill, bill_number=bill.number, payer=_masked_payer(session, bill))


@blp.post("/prepayment/pay-codes/<string:code>/orders")
@access.public("whoever holds the code may pay for its bill; it is unguessable", limit=PAY_CODE_LIMIT)
@blp.arguments(StartPaymentIn)
@blp.response(201, OrderOut)
def start_order_by_pay_code(data: dict[str, Any], code: str) -> Order:
    """Begin to pay the bill of a pay code, or go on with the running attempt."""
    with transaction() as session:
        return order_service.start_by_pay_code(session, code=code, **data)
