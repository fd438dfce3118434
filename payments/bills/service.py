"""What is done with bills: issue, cancel, expire, mark paid, settle, attach, make a pay code.

Lock order in `payments`: bill, then orders, then refunds. Whoever changes one of them holds the bill's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from auth.acting import service as acting
from core import audit, clock, events, jobs, numbers, security
from core.actors import Actor, Citizen, Partner, System
from core.errors import Forbidden, InvalidInput, NotFound
from core.money import Fen, yuan_text
from notifications.messages import service as messages
from payments.bills.events import BillExpired, BillIssued
from payments.bills.models import BillLine, FeeBill
from payments.bills.rules import (
    POLICY,
    BillState,
    Line,
    Matter,
    check_move,
    check_payable,
    new_pay_code,
    plain_pay_code,
    state_after_refunds,
    total_of,
)
from payments.orders.events import BillPaid

S = BillState
_EXPIRY_BATCH = 100


def issue(
    session: Session,
    *,
    actor: Actor,
    payer_id: UUID,
    payee: str,
    lines: Sequence[Line],
    matter_type: str,
    matter_id: UUID,
    matter_name: str,
    matter_sensitive: bool = False,
    item_id: str | None = None,
    expires_at: datetime | None = None,
) -> FeeBill:
    """Issue a bill and tell the payer. A bill over nothing is paid at once: there is no payment to make (PEERS 4.6).

    `expires_at`: with the matter's own end, else after thirty days (PY-6). `matter_sensitive`: messages don't name the
    matter (3.17). `item_id`: what a delegation must cover to pay it (DG-1). Raises `Forbidden` for a citizen or partner:
    nobody sets their own price (PY-1), `InvalidInput` for an `expires_at` in the past.
    """
    if isinstance(actor, Citizen | Partner):
        raise Forbidden()
    now = clock.now()
    until = expires_at or now + POLICY.lifetime
    if until <= now:
        raise InvalidInput(fields={"expires_at": ["缴款期限必须在将来 / the time to pay must be in the future"]})
    bill = FeeBill(
        number=numbers.issue(session, numbers.Kind.BILL, clock.local(now).date()),
        payer_id=payer_id,
        payee=payee,
        matter_type=matter_type,
        matter_id=matter_id,
        matter_name=matter_name,
        item_id=item_id,
        matter_sensitive=matter_sensitive,
        state=S.DRAFT,
        total_fen=total_of(lines),
        issued_at=now,
        expires_at=until,
    )
    bill.lines = [
        BillLine(position=position, amount_fen=line.amount, **asdict(line))
        for position, line in enumerate(lines, start=1)
    ]
    session.add(bill)
    _move(bill, S.ISSUED)
    session.flush()
    _record(session, actor, bill, "bill.issue", relief_fen=sum(line.relief_fen for line in lines))
    events.publish(session, BillIssued(bill.id, matter_type, matter_id, payer_id, bill.total_fen))
    if bill.total_fen:
        announce(session, bill, "BILL_ISSUED", amount_fen=bill.total_fen, when=until)
    else:
        mark_paid(session, actor=actor, bill=bill, order_id=None)
    return bill


def cancel(session: Session, *, actor: Actor, bill_id: UUID, reason: str) -> FeeBill:
    """Cancel an unpaid bill; its live order is closed at the platform by a job. Raises `StateConflict` if it is paid."""
    if isinstance(actor, Citizen | Partner):
        raise Forbidden()
    bill = lock(session, bill_id)
    _move(bill, S.CANCELLED)
    bill.cancel_reason = reason
    _record(session, actor, bill, "bill.cancel")
    jobs.defer(session, "orders.close_of_bill", bill_id=str(bill.id))
    return bill


def expire_due(session: Session) -> int:
    """Expire a batch of bills whose time to pay is over (PY-6); returns how many. Bills being paid just now are passed by."""
    due = (
        select(FeeBill)
        .where(FeeBill.state == S.ISSUED, FeeBill.expires_at <= clock.now() - POLICY.expiry_grace)
        .order_by(FeeBill.id)
        .limit(_EXPIRY_BATCH)
        .with_for_update(skip_locked=True)
    )
    bills = session.scalars(due).all()
    for bill in bills:
        expire(session, bill=bill)
    return len(bills)


def expire(session: Session, *, bill: FeeBill) -> None:
    """Expire a locked bill; its live order is closed at the platform by a job."""
    _move(bill, S.EXPIRED)
    _record(session, System("bills.expire"), bill, "bill.expire")
    events.publish(session, BillExpired(bill.id, bill.matter_type, bill.matter_id, bill.payer_id))
    announce(session, bill, "BILL_EXPIRED", amount_fen=bill.total_fen, when=bill.expires_at)
    jobs.defer(session, "orders.close_of_bill", bill_id=str(bill.id))


def mark_paid(session: Session, *, actor: Actor, bill: FeeBill, order_id: UUID | None) -> None:
    """A locked bill's money is here (by `order_id`, or None when there was nothing to pay). Publishes `BillPaid`."""
    _move(bill, S.PAID)
    bill.paid_at = clock.now()
    _record(session, actor, bill, "bill.paid", order_id=str(order_id) if order_id else None)
    events.publish(
        session,
        BillPaid(
            bill_id=bill.id,
            order_id=order_id,
            matter_type=bill.matter_type,
            matter_id=bill.matter_id,
            payer_id=bill.payer_id,
            amount_fen=bill.total_fen,
        ),
    )
    if order_id is not None:
        announce(session, bill, "BILL_PAID", amount_fen=bill.total_fen, when=bill.paid_at)


def settle(session: Session, *, actor: Actor, bill_id: UUID) -> FeeBill:
    """The fee is fixed (the matter was decided, PY-12): PAID → SETTLED. Raises `StateConflict` for an unpaid bill.

    While a part is on its way back the bill is settled all the same and shows it when the refund has ended.
    """
    bill = lock(session, bill_id)
    if bill.state != S.REFUNDING:
        _move(bill, S.SETTLED)
    bill.settled_at = clock.now()
    _record(session, actor, bill, "bill.settle")
    return bill


def attach(session: Session, *, actor: Actor, from_matter: Matter, to_matter: Matter) -> int:
    """Move every bill of one matter to another (the pre-review became a case); returns how many."""
    (from_type, from_id), (to_type, to_id) = from_matter, to_matter
    query = select(FeeBill).where(FeeBill.matter_type == from_type, FeeBill.matter_id == from_id)
    bills = session.scalars(query.order_by(FeeBill.id).with_for_update()).all()
    for bill in bills:
        bill.matter_type, bill.matter_id = to_type, to_id
        _record(session, actor, bill, "bill.attach", from_type=from_type, from_id=str(from_id))
    return len(bills)


def follow_refunds(session: Session, *, actor: Actor, bill: FeeBill, refunded_fen: int, in_flight_fen: int) -> None:
    """Bring a locked bill to the state its refunds leave it in; called by `payments.refunds` after each step of one."""
    state = state_after_refunds(bill.total_fen, refunded_fen, in_flight_fen, settled=bill.settled_at is not None)
    if state != bill.state:
        _move(bill, state)
        _record(session, actor, bill, "bill.refunds", refunded_fen=refunded_fen, in_flight_fen=in_flight_fen)


def make_pay_code(session: Session, *, actor: Citizen, bill_id: UUID) -> tuple[str, datetime]:
    """A code by which somebody else can pay this bill (PY-4), and until when; the former code ends. Only its hash is kept."""
    bill = lock(session, bill_id, owner_id=actor.owner_id)
    now = clock.now()
    check_payable(S(bill.state), bill.expires_at, now)
    code = new_pay_code()
    bill.pay_code_lookup = security.lookup("pay_code", plain_pay_code(code))
    bill.pay_code_until = until = min(now + POLICY.pay_code_lifetime, bill.expires_at)
    _record(session, actor, bill, "bill.pay_code")
    return code, until


def lock(session: Session, bill_id: UUID, *, owner_id: UUID | None = None) -> FeeBill:
    """The bill, its row locked until the end of the transaction; only `owner_id`'s if given. Raises `NotFound`."""
    query = select(FeeBill).where(FeeBill.id == bill_id).with_for_update().execution_options(populate_existing=True)
    if owner_id is not None:
        query = query.where(FeeBill.payer_id == owner_id)
    bill = session.scalar(query)
    if bill is None:
        raise NotFound()
    return bill


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Two subjects were found to be one person: the absorbed one's bills go to the kept one."""
    session.execute(update(FeeBill).where(FeeBill.payer_id == event.absorbed).values(payer_id=event.kept))


def announce(
    session: Session,
    bill: FeeBill,
    template: str,
    *,
    amount_fen: int,
    when: datetime,
    note: str = "",
    key: str = "",
) -> None:
    """Tell the payer, and who reads for an organisation or a child (DG-2). `key` tells repeated happenings apart."""
    for receiver in acting.receivers(session, owner_id=bill.payer_id):
        messages.announce(
            session,
            to=receiver,
            template=template,
            event_id=f"bill:{bill.id}:{template}" + (f":{key}" if key else ""),
            fields={
                "matter": bill.matter_name,
                "number": bill.number,
                "when": f"{clock.local(when):%Y-%m-%d %H:%M}",
                "amount": yuan_text(Fen(amount_fen)),
                "note": note,
            },
            matter_type="bill",
            matter_id=bill.id,
            sensitive=bill.matter_sensitive,
        )


def _move(bill: FeeBill, state: BillState) -> None:
    check_move(S(bill.state), state)
    bill.state = state


def _record(session: Session, actor: Actor, bill: FeeBill, action: str, **facts: Any) -> None:
    after = {"state": bill.state, "total_fen": bill.total_fen, "matter": [bill.matter_type, str(bill.matter_id)]}
    audit.record(session, actor=actor, action=action, object_type="fee_bill", object_id=bill.id, after=after, **facts)
