"""What is done with orders: start, hand over, ask after, and apply what the platform says of them.

`apply` is the one place where a payment is recorded; notices and queries both end there (PY-8). Lock order: bill, then order.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from core import audit, clock, events, jobs, ports
from core.actors import Actor, Citizen, Partner, System, acted_by
from core.errors import InvalidInput
from core.money import Fen
from payments.bills import queries as bill_queries
from payments.bills import service as bills
from payments.bills.queries import Bill
from payments.bills.rules import BillState, check_payable
from payments.ledger import rules as accounts
from payments.ledger import service as ledger
from payments.ledger.rules import PostingKind
from payments.orders import queries
from payments.orders.errors import AmountMismatch
from payments.orders.events import SurplusReceived
from payments.orders.models import PayOrder
from payments.orders.ports import Handover, Notice, PaymentPlatform, PayRequest, PlatformState, Seen
from payments.orders.rules import (
    LIVE,
    POLICY,
    OrderState,
    Scene,
    can_still_be_opened,
    check_move,
    is_return_path,
    order_no,
    surplus_of,
    wait_before,
)

S = OrderState
CHANNEL = "ALIPAY"


def start(
    session: Session, *, actor: Citizen, bill_id: UUID, scene: Scene, return_path: str = "", buyer_open_id: str = ""
) -> PayOrder:
    """Begin to pay one's own bill, or go on with the attempt that is running (PY-7).

    The order is PAYING and can be handed over at once, or CREATED while an earlier attempt is being closed or the
    platform makes a trade number (MINI). Raises `NotFound`, `BillAlreadyPaid`, `BillExpired`, `StateConflict`, `InvalidInput`.
    """
    bill = bills.lock(session, bill_id, owner_id=actor.owner_id)
    return _start(session, actor, bill, scene, return_path, buyer_open_id)


def start_by_pay_code(
    session: Session, *, code: str, scene: Scene, return_path: str = "", buyer_open_id: str = ""
) -> PayOrder:
    """Begin to pay somebody else's bill by its pay code (PY-4); raises as `start`."""
    bill = bills.lock(session, bill_queries.by_pay_code(session, code, clock.now()).id)
    return _start(session, System("pay-code"), bill, scene, return_path, buyer_open_id)


def _start(session: Session, actor: Actor, bill: Bill, scene: Scene, return_path: str, buyer_open_id: str) -> PayOrder:
    if return_path and not is_return_path(return_path):
        raise InvalidInput(fields={"return_path": ["只能是本站内的地址 / must be a path on this site"]})
    if (scene is Scene.MINI) != bool(buyer_open_id):
        raise InvalidInput(fields={"buyer_open_id": ["仅小程序支付需要填写 / needed for MINI and only there"]})
    check_payable(BillState(bill.state), bill.expires_at, clock.now())
    waiting = queries.of_bill(session, bill.id, S.CREATED)
    if waiting is not None:
        return waiting
    paying = queries.of_bill(session, bill.id, S.PAYING)
    if paying is not None and paying.scene == scene and clock.wall() < paying.until:
        paying.return_path = return_path
        return paying
    attempt = 1 + (session.scalar(select(func.max(PayOrder.attempt)).where(PayOrder.bill_id == bill.id)) or 0)
    order = PayOrder(
        bill_id=bill.id,
        attempt=attempt,
        channel=CHANNEL,
        scene=scene,
        order_no=order_no(bill.number, attempt),
        state=S.CREATED,
        amount_fen=bill.total_fen,
        return_path=return_path,
        buyer=buyer_open_id or None,
        created_at=clock.now(),
        acted_by=acted_by(actor),
        until=clock.wall(),
    )
    session.add(order)
    session.flush()
    _record(session, actor, order, "order.start")
    if paying is not None or scene is Scene.MINI:
        jobs.defer(session, "orders.prepare", order_id=str(order.id))
    else:
        _hand_out(session, actor, bill, order)
    return order


def prepare(session: Session, *, order_id: UUID) -> PayRequest | None:
    """Let a CREATED order go to its payer, now that no earlier one can be paid. Closes it when its bill has ended.

    Returns the request for the platform where that must create the order first (MINI): call `created` with its answer.
    """
    bill, order = _lock(session, order_id)
    actor = System("orders.prepare")
    if order.state != S.CREATED:
        return None
    if bill.state != BillState.ISSUED or clock.now() >= bill.expires_at:
        _finish(session, actor, order, S.CLOSED)
        return None
    if order.scene == Scene.MINI:
        order.until = clock.wall() + min(POLICY.attempt_lifetime, bill.expires_at - clock.now())
        return request_of(order)
    _hand_out(session, actor, bill, order)
    return None


def created(session: Session, *, order_id: UUID, trade_no: str | None) -> None:
    """The platform made a MINI order (`trade_no`) or won't have it (None)."""
    bill, order = _lock(session, order_id)
    actor = System("orders.prepare")
    if order.state != S.CREATED:
        return
    if trade_no is None:
        _finish(session, actor, order, S.FAILED)
        return
    order.trade_no = trade_no
    _hand_out(session, actor, bill, order)


def drop_waiting(session: Session, *, bill_id: UUID) -> None:
    """Close the order of an ended bill that was never handed out."""
    bills.lock(session, bill_id)
    waiting = queries.of_bill(session, bill_id, S.CREATED)
    if waiting is not None:
        _finish(session, System("orders.close_of_bill"), waiting, S.CLOSED)


def hand_over(order: PayOrder) -> Handover | None:
    """What the payer's phone needs for a PAYING order; None for one that can't be paid (any more)."""
    if order.state != S.PAYING or clock.wall() >= order.until:
        return None
    if order.scene == Scene.MINI:
        return Handover(trade_no=order.trade_no)
    return ports.get(PaymentPlatform).hand_over(request_of(order))


def request_of(order: PayOrder) -> PayRequest:
    """The order as the platform gets it: it learns the bill's number and amount, not the matter."""
    return PayRequest(
        order_no=order.order_no,
        title=f"宁波政务服务缴费 {order.order_no.partition('_')[0]}",
        amount=Fen(order.amount_fen),
        scene=Scene(order.scene),
        until=order.until,
        return_path=order.return_path,
        buyer_open_id=order.buyer or "",
    )


def ask_now(session: Session, *, order_id: UUID) -> None:
    """Somebody waits for the result: ask the platform by a job, at most every five seconds an order."""
    now = clock.wall()
    asked = session.execute(
        update(PayOrder)
        .where(
            PayOrder.id == order_id,
            PayOrder.state == S.PAYING,
            or_(PayOrder.queried_at.is_(None), PayOrder.queried_at < now - POLICY.ask_every),
        )
        .values(queried_at=now)
        .returning(PayOrder.id)
    ).first()
    if asked is not None:
        jobs.defer(session, "orders.query", order_id=str(order_id), step=len(POLICY.query_after))


def ask_later(session: Session, *, order_id: UUID, step: int) -> None:
    """Queue the `step`-th question after a PAYING order (PY-9); after the last one, reconciliation takes over."""
    wait = wait_before(step)
    if wait is not None and queries.order(session, order_id).state == S.PAYING:
        jobs.defer(session, "orders.query", at=clock.wall() + wait, order_id=str(order_id), step=step)


def apply_notice(session: Session, *, notice: Notice) -> None:
    """Record what a verified notice says (PY-8); repeats change nothing.

    Raises `NotFound` for an order that isn't ours and `AmountMismatch`. A notice of a refund is no payment: if the order
    still waits for its money, the platform is asked instead.
    """
    order = queries.by_number(session, notice.order_no)
    if notice.refund:
        ask_now(session, order_id=order.id)
    else:
        apply(session, actor=Partner("alipay"), order_id=order.id, seen=notice.seen)


def apply(session: Session, *, actor: Actor, order_id: UUID, seen: Seen, closing: bool = False) -> None:
    """Bring an order to the state the platform says; forward only, any number of times (PY-8).

    `closing`: we asked the platform to close it, so an order that nobody opened ends too. Raises `AmountMismatch`.
    """
    order = queries.order(session, order_id)
    if seen.state is PlatformState.PAID:
        if seen.amount != order.amount_fen:
            raise AmountMismatch()
        # Money received is never un-received, so repeats need no lock.
        if order.platform_paid_at is not None:
            return
    bill, order = _lock(session, order_id)
    if seen.state is PlatformState.PAID:
        if order.platform_paid_at is None:
            _receive(session, actor, bill, order, seen)
        return
    unopened = seen.state is PlatformState.NOT_OPENED and (
        closing or not can_still_be_opened(order.until, clock.wall())
    )
    if order.state == S.PAYING and (unopened or seen.state is PlatformState.CLOSED):
        _finish(session, actor, order, S.CLOSED)


def _receive(session: Session, actor: Actor, bill: Bill, order: PayOrder, seen: Seen) -> None:
    """The money of a locked order is here: it pays the bill, or it is surplus and goes back (PY-6, PY-7)."""
    paid_at = seen.paid_at or clock.wall()
    in_time = paid_at + (clock.now() - clock.wall()) < bill.expires_at
    if bill.state == BillState.ISSUED and not in_time:
        bills.expire(session, bill=bill)
    surplus = surplus_of(BillState(bill.state), S(order.state), in_time=in_time)
    order.trade_no, order.platform_paid_at, order.surplus = seen.trade_no, paid_at, surplus
    if surplus is None:
        _finish(session, actor, order, S.SUCCEEDED)
    elif order.state in LIVE:
        _finish(session, actor, order, S.CLOSED)
    ledger.post(
        session,
        kind=PostingKind.PAYMENT,
        source_id=order.id,
        debit=accounts.platform(order.channel),
        credit=accounts.SURPLUS if surplus else accounts.payee(bill.payee),
        amount_fen=order.amount_fen,
    )
    if surplus is None:
        bills.mark_paid(session, actor=actor, bill=bill, order_id=order.id)
        return
    _record(session, actor, order, "order.surplus", reason=surplus)
    events.publish(session, SurplusReceived(order.id, bill.id, surplus, order.amount_fen))
    jobs.defer(session, "refunds.give_back", order_id=str(order.id))


def _hand_out(session: Session, actor: Actor, bill: Bill, order: PayOrder) -> None:
    """CREATED → PAYING: from now on the payer can pay, for half an hour but not beyond the bill's end (PY-6)."""
    order.until = clock.wall() + min(POLICY.attempt_lifetime, bill.expires_at - clock.now())
    _move(order, S.PAYING)
    _record(session, actor, order, "order.hand_out")
    ask_later(session, order_id=order.id, step=0)


def _finish(session: Session, actor: Actor, order: PayOrder, state: OrderState) -> None:
    _move(order, state)
    order.finished_at = clock.now()
    order.buyer = None
    _record(session, actor, order, "order.finish")


def _move(order: PayOrder, state: OrderState) -> None:
    check_move(S(order.state), state)
    order.state = state


def _lock(session: Session, order_id: UUID) -> tuple[Bill, PayOrder]:
    bill = bills.lock(session, queries.order(session, order_id).bill_id)
    query = select(PayOrder).where(PayOrder.id == order_id).with_for_update()
    return bill, session.scalars(query.execution_options(populate_existing=True)).one()


def _record(session: Session, actor: Actor, order: PayOrder, action: str, **facts: Any) -> None:
    after = {"state": order.state, "surplus": order.surplus, "trade_no": order.trade_no}
    audit.record(session, actor=actor, action=action, object_type="pay_order", object_id=order.id, after=after, **facts)
