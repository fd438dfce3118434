"""Billing a matter, fixing its fees, giving them back."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from casework.catalogue.rules import Item
from casework.fees import rules
from core.actors import Actor, Citizen, Staff, System
from payments.bills import queries as bills
from payments.bills import service as bill_service
from payments.bills.queries import Bill
from payments.bills.rules import BillState, Matter
from payments.refunds import service as refunds


def issue(
    session: Session, *, actor: Staff, payer_id: UUID, item: Item, quantities: Mapping[int, int], matter: Matter
) -> list[Bill]:
    """Bill the chosen fee lines of `item` to `payer_id`, one bill per payee (PY-1, PY-3). Raises `NothingToBill`."""
    matter_type, matter_id = matter
    return [
        bill_service.issue(
            session,
            actor=actor,
            payer_id=payer_id,
            payee=payee,
            lines=lines,
            matter_type=matter_type,
            matter_id=matter_id,
            matter_name=item.name,
        )
        for payee, lines in rules.lines_by_payee(item.fee_lines, quantities).items()
    ]


def fix(session: Session, *, actor: Actor, matter: Matter) -> None:
    """The matter was granted: what is paid is settled (PY-12). Unpaid bills stay payable: prepaying is optional (PY-5)."""
    for bill in bills.of_matter(session, matter):
        if bill.state == BillState.PAID:
            bill_service.settle(session, actor=actor, bill_id=bill.id)


def give_back(session: Session, *, actor: Actor, matter: Matter, reason: str) -> None:
    """The matter ended without a grant: cancel what is unpaid, refund what is paid, in the same transaction (PY-10)."""
    for bill in bills.of_matter(session, matter):
        if bill.state == BillState.ISSUED:
            bill_service.cancel(
                session, actor=System("fees") if isinstance(actor, Citizen) else actor, bill_id=bill.id, reason=reason
            )
        elif bill.state == BillState.PAID and bill.total_fen:
            refunds.request(session, actor=actor, bill_id=bill.id, amount_fen=bill.total_fen, reason=reason)
