"""What is done with refunds: request, approve, reject, send, end, try again, give surplus money back.

Every change holds the bill's row (lock order: bill, then refund), so the sum of refunds is judged by one at a time (PY-11).
"""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, calendar, clock, events, jobs, numbers
from core.actors import Actor, Staff, System
from core.errors import StateConflict
from core.workdays import Limit, due_date
from payments.bills import service as bills
from payments.bills.queries import Bill
from payments.bills.rules import REFUNDABLE
from payments.ledger import rules as accounts
from payments.ledger import service as ledger
from payments.ledger.rules import PostingKind
from payments.orders import queries as orders
from payments.orders.queries import Order
from payments.orders.rules import OrderState, Surplus
from payments.refunds import queries
from payments.refunds.errors import RefundExceedsPaid, SamePersonApproves
from payments.refunds.events import RefundDone, RefundRequested
from payments.refunds.models import Refund
from payments.refunds.rules import POLICY, SURPLUS_REASONS, RefundState, check_amount, check_move, needs_approval

log = logging.getLogger("payments.refunds")

S = RefundState


def request(session: Session, *, actor: Actor, bill_id: UUID, amount_fen: int, reason: str) -> Refund:
    """Give `amount_fen` of a paid bill back (PY-10); the money goes by a job, or after approval where that is needed.

    Raises `NotFound`, `StateConflict` for a bill that isn't paid, `RefundExceedsPaid` (PY-11).
    """
    bill = bills.lock(session, bill_id)
    if bill.state not in REFUNDABLE:
        raise StateConflict()
    order = orders.of_bill(session, bill.id, OrderState.SUCCEEDED)
    if order is None:
        raise RefundExceedsPaid(left="0.00")
    check_amount(amount_fen, paid=order.amount_fen, given_away=queries.given_away(session, order.id))
    approval = needs_approval(bill.payee, settled=bill.settled_at is not None)
    return _open(session, actor, bill, order, amount_fen, reason, approval=approval)


def give_back(session: Session, *, order_id: UUID) -> None:
    """Give surplus money back: a second payment, one that came too late (PY-6, PY-7). Once, however often it is asked."""
    order = orders.order(session, order_id)
    bill = bills.lock(session, order.bill_id)
    if order.surplus is not None and not queries.given_away(session, order.id):
        reason = SURPLUS_REASONS[Surplus(order.surplus)]
        _open(session, System("refunds.give_back"), bill, order, order.amount_fen, reason, approval=False)


def _open(
    session: Session, actor: Actor, bill: Bill, order: Order, amount_fen: int, reason: str, *, approval: bool
) -> Refund:
    now = clock.now()
    today = clock.local(now).date()
    due = due_date(today, Limit(POLICY.approval_workdays), (), calendar.load(session)).day if approval else None
    refund = Refund(
        number=numbers.issue(session, numbers.Kind.REFUND, today),
        bill_id=bill.id,
        order_id=order.id,
        state=S.REFUND_APPLIED,
        amount_fen=amount_fen,
        reason=reason,
        needs_approval=approval,
        approval_due=due,
        requested_by=actor.audit_id,
        requested_at=now,
        reject_reason="",
    )
    session.add(refund)
    session.flush()
    _record(session, actor, refund, "refund.request")
    _follow(session, actor, bill, order)
    events.publish(session, RefundRequested(refund.id, bill.id, bill.matter_type, bill.matter_id, amount_fen))
    if not approval:
        _send_later(session, refund)
    return refund


def approve(session: Session, *, actor: Staff, refund_id: UUID) -> Refund:
    """The finance bureau agrees (PY-10): REFUND_APPLIED → FINANCE_APPROVED. Raises `SamePersonApproves`, `StateConflict`."""
    _bill, _order, refund = _lock(session, refund_id)
    if refund.requested_by == actor.audit_id:
        raise SamePersonApproves()
    if not refund.needs_approval:
        raise StateConflict()
    _move(refund, S.FINANCE_APPROVED)
    refund.approved_by = actor.audit_id
    _record(session, actor, refund, "refund.approve")
    _send_later(session, refund)
    return refund


def reject(session: Session, *, actor: Staff, refund_id: UUID, reason: str) -> Refund:
    """The finance bureau refuses, with its reason. Only while its approval is awaited: `StateConflict`."""
    bill, order, refund = _lock(session, refund_id)
    if not refund.needs_approval:
        raise StateConflict()
    refund.reject_reason = reason
    _move(refund, S.REFUND_REJECTED)
    _record(session, actor, refund, "refund.reject")
    session.flush()
    _follow(session, actor, bill, order)
    return refund


def retry(session: Session, *, actor: Staff, refund_id: UUID) -> Refund:
    """Send a failed refund again, after a person has looked into it. Raises `StateConflict`, `RefundExceedsPaid`."""
    bill, order, refund = _lock(session, refund_id)
    # The table lets an unsent refund go out too, but by its job and, where needed, after approval.
    if refund.state != S.REFUND_FAILED:
        raise StateConflict()
    check_amount(refund.amount_fen, paid=order.amount_fen, given_away=queries.given_away(session, order.id))
    _move(refund, S.REFUND_SENT)
    refund.sent_at, refund.failure_code = clock.now(), None
    _record(session, actor, refund, "refund.retry")
    session.flush()
    _follow(session, actor, bill, order)
    _send_later(session, refund)
    return refund


def begin_sending(session: Session, *, refund_id: UUID) -> Refund | None:
    """Note that the platform is about to be called; the refund to send, or None when there is nothing to send (any more)."""
    _bill, _order, refund = _lock(session, refund_id)
    if refund.state == S.FINANCE_APPROVED or (refund.state == S.REFUND_APPLIED and not refund.needs_approval):
        _move(refund, S.REFUND_SENT)
        refund.sent_at = clock.now()
        _record(session, System("refunds.send"), refund, "refund.send")
    return refund if refund.state == S.REFUND_SENT else None


def finish(session: Session, *, refund_id: UUID) -> None:
    """The money is back with the payer: books it and tells them. Nothing happens the second time."""
    bill, order, refund = _lock(session, refund_id)
    if refund.state != S.REFUND_SENT:
        return
    actor = System("refunds.send")
    _move(refund, S.REFUNDED)
    refund.refunded_at = clock.now()
    ledger.post(
        session,
        kind=PostingKind.REFUND,
        source_id=refund.id,
        debit=accounts.SURPLUS if order.surplus else accounts.payee(bill.payee),
        credit=accounts.platform(order.channel),
        amount_fen=refund.amount_fen,
    )
    _record(session, actor, refund, "refund.done")
    _follow(session, actor, bill, order)
    events.publish(
        session,
        RefundDone(
            refund_id=refund.id,
            bill_id=bill.id,
            matter_type=bill.matter_type,
            matter_id=bill.matter_id,
            payer_id=bill.payer_id,
            amount_fen=refund.amount_fen,
            surplus=order.surplus is not None,
        ),
    )
    bills.announce(
        session,
        bill,
        "BILL_REFUNDED",
        amount_fen=refund.amount_fen,
        when=refund.refunded_at,
        note=refund.reason,
        key=str(refund.id),
    )


def fail(session: Session, *, refund_id: UUID, code: str) -> None:
    """The platform refuses for good (`code` is its own, for finance staff): a person must look."""
    bill, order, refund = _lock(session, refund_id)
    if refund.state != S.REFUND_SENT:
        return
    actor = System("refunds.send")
    _move(refund, S.REFUND_FAILED)
    refund.failure_code = code
    log.error("a refund failed and needs a person", extra={"refund": refund.number, "code": code})
    _record(session, actor, refund, "refund.fail")
    session.flush()
    _follow(session, actor, bill, order)


def resend_overdue(session: Session) -> int:
    """Queue again what is under way for too long (the platform was away, a worker died); returns how many."""
    overdue = select(Refund).where(Refund.state == S.REFUND_SENT, Refund.sent_at < clock.now() - POLICY.resend_after)
    return sum(_send_later(session, refund) for refund in session.scalars(overdue))


def _send_later(session: Session, refund: Refund) -> bool:
    return jobs.defer(session, "refunds.send", once=f"refunds.send:{refund.id}", refund_id=str(refund.id))


def _follow(session: Session, actor: Actor, bill: Bill, order: Order) -> None:
    """The bill shows where its refunds stand; surplus money never belonged to it."""
    if order.surplus is None:
        refunded, in_flight = queries.standing(session, order.id)
        bills.follow_refunds(session, actor=actor, bill=bill, refunded_fen=refunded, in_flight_fen=in_flight)


def _lock(session: Session, refund_id: UUID) -> tuple[Bill, Order, Refund]:
    bill = bills.lock(session, queries.refund(session, refund_id).bill_id)
    query = select(Refund).where(Refund.id == refund_id).with_for_update().execution_options(populate_existing=True)
    refund = session.scalars(query).one()
    return bill, orders.order(session, refund.order_id), refund


def _move(refund: Refund, state: RefundState) -> None:
    check_move(S(refund.state), state)
    refund.state = state


def _record(session: Session, actor: Actor, refund: Refund, action: str) -> None:
    after = {"state": refund.state, "amount_fen": refund.amount_fen, "code": refund.failure_code}
    audit.record(session, actor=actor, action=action, object_type="refund", object_id=refund.id, after=after)
