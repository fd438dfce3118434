"""Forgetting. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from casework.delivery.models import Shipment


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """Phones and addresses of the person's parcels are forgotten before their 180 days."""
    rows = session.scalars(
        select(Shipment)
        .where(Shipment.owner_id == event.subject_id, Shipment.address_forgotten.is_(False))
        .with_for_update()
    )
    for shipment in rows:
        shipment.receiver_phone = shipment.address_street = shipment.address_detail = ""
        shipment.address_forgotten = True
