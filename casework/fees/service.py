"""Billing a matter, fixing its fees, giving them back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from casework.acting import service as acting
from casework.acting.queries import visible_items
from casework.catalogue.rules import Item
from casework.fees import rules
from core import clock
from core.actors import Action, Actor, Citizen, Staff, System
from core.web.paging import Page
from payments.bills import queries as bills
from payments.bills import service as bill_service
from payments.bills.queries import Bill
from payments.bills.rules import POLICY, BillState, Matter
from payments.refunds import queries as refund_queries
from payments.refunds import service as refunds

_HOLDS_MONEY = frozenset({BillState.PAID, BillState.REFUNDING, BillState.PART_REFUNDED})


def issue(
    session: Session,
    *,
    actor: Staff,
    payer_id: UUID,
    item: Item,
    answers: Mapping[str, str],
    quantities: Mapping[int, int],
    matter: Matter,
    expires_at: datetime | None = None,
) -> list[Bill]:
    """Bill the chosen fee lines of `item` to `payer_id`, one bill per payee (PY-1, PY-3). Raises `NothingToBill`.

    Only the lines of the situation that `answers` describe can be billed.
    The bills can be paid until `expires_at`, or for thirty days if that ends earlier (PY-6).
    """
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
            item_id=item.item_id,
            matter_sensitive=item.sensitive,
            expires_at=None if expires_at is None else min(expires_at, clock.now() + POLICY.lifetime),
        )
        for payee, lines in rules.lines_by_payee(rules.lines_of(item, answers), quantities).items()
    ]


def page_of_actor(session: Session, actor: Citizen, args: Mapping[str, Any], *, state: str | None) -> Page[Bill]:
    """The actor's bills, or those of whom one acts for that one may see, newest first."""
    return bills.page_owned(session, actor.owner_id, args, state=state, items=visible_items(session, actor))


def open_to(session: Session, *, actor: Citizen, bill_id: UUID, action: Action = Action.VIEW) -> Bill:
    """A bill that the actor may see or pay, for oneself or for another; who may pay may see. Raises `NotFound`, `DelegationOutOfScope`."""
    bill = bills.owned(session, bill_id, actor.owner_id)
    pays = actor.acting is not None and Action.PAY in actor.acting.actions
    acting.require_item_seen(session, actor=actor, action=Action.PAY if pays else action, item_id=bill.item_id)
    return bill


def fix(session: Session, *, actor: Actor, matter: Matter) -> None:
    """The matter was granted: what is paid is settled (PY-12), also what is left of a bill whose part went back (RE-5).

    Unpaid bills stay payable: prepaying is optional (PY-5).
    """
    for bill in bills.of_matter(session, matter):
        if bill.settled_at is None and bill.state in _HOLDS_MONEY:
            bill_service.settle(session, actor=actor, bill_id=bill.id)


def give_back(session: Session, *, actor: Actor, matter: Matter, reason: str) -> None:
    """The matter ended without a grant: cancel what is unpaid, refund what is left of the paid, in the same transaction (PY-10)."""
    for bill in bills.of_matter(session, matter):
        if bill.state == BillState.ISSUED:
            bill_service.cancel(
                session, actor=System("fees") if isinstance(actor, Citizen) else actor, bill_id=bill.id, reason=reason
            )
        elif bill.state in _HOLDS_MONEY and (left := refund_queries.refundable(session, bill.id)):
            refunds.request(session, actor=actor, bill_id=bill.id, amount_fen=left, reason=reason)
