"""How a shipment changes state, and what is written down when it does."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.acting import service as acting
from casework.delivery import rules
from casework.delivery.events import ShipmentHandedOver
from casework.delivery.models import Shipment, ShipmentHistory
from casework.delivery.rules import Flag, State
from core import audit, clock
from core.actors import Actor
from core.events import publish
from notifications.messages.service import announce

MATTER = "shipment"


def move(session: Session, shipment: Shipment, to: State, actor: Actor, *, note: str = "") -> None:
    """Change the state by the table, with its history row and audit row in the same transaction. Raises `StateConflict`."""
    before = State(shipment.state)
    rules.check_move(before, to)
    shipment.state = to
    shipment.ended_at = clock.now() if to in rules.ENDED else None
    write(session, shipment, before, actor, note=note)


def write(session: Session, shipment: Shipment, before: State | None, actor: Actor, *, note: str = "") -> None:
    """Write down that a shipment came from `before` to its present state."""
    after = State(shipment.state)
    session.add(
        ShipmentHistory(
            shipment_id=shipment.id, from_state=before, to_state=after, at=clock.now(), actor=actor.audit_id, note=note
        )
    )
    note_act(session, shipment, actor, f"shipment.{after.lower()}")


def note_act(session: Session, shipment: Shipment, actor: Actor, action: str) -> None:
    """Write an act down that changes no state."""
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type=MATTER,
        object_id=shipment.id,
        after={"state": shipment.state, "waybill": shipment.waybill},
    )


def handed_over(session: Session, shipment: Shipment) -> None:
    """The parcel is with the carrier, by the clerk's word or the first report; announced once (CR-12)."""
    if shipment.handed_over_at is None:
        shipment.handed_over_at = clock.now()
        publish(session, ShipmentHandedOver(shipment.id, shipment.case_id))


def flag(shipment: Shipment, found: Flag) -> None:
    """Mark what a person must look at."""
    if found not in shipment.flags:
        shipment.flags = [*shipment.flags, found.value]


def unflag(shipment: Shipment, settled: Flag) -> None:
    """Take a mark off: what it was for is settled."""
    shipment.flags = [found for found in shipment.flags if found != settled]


def tell(session: Session, shipment: Shipment, template: str, **fields: str) -> None:
    """Send the message of what just happened, once; a code or a state that comes again (a second attempt) is a new event."""
    session.flush()
    moves = session.scalar(select(func.count()).where(ShipmentHistory.shipment_id == shipment.id))
    for receiver in acting.receivers(session, owner_id=shipment.owner_id):
        announce(
            session,
            to=receiver,
            template=template,
            event_id=f"shipment:{shipment.id}:{template}:{moves}:{shipment.codes_sent}",
            fields={"matter": shipment.matter_name, "number": shipment.waybill or shipment.number, **fields},
            matter_type=MATTER,
            matter_id=shipment.id,
            sensitive=shipment.sensitive,
        )
