"""How an appointment changes state, and what is written down and said when it does."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from auth.acting import service as acting
from casework.appointments.models import Appointment
from casework.appointments.rules import Closing, State, check_move
from casework.slots import service as slots
from core import audit, clock
from core.actors import Actor
from notifications.messages.service import announce

MATTER = "appointment"


def move(session: Session, appointment: Appointment, to: State, actor: Actor, **facts: str) -> None:
    """Move a locked appointment by the table of 3.2, with its audit row. Raises `StateConflict`."""
    before = State(appointment.state)
    check_move(before, to)
    appointment.state = to
    write(session, actor, to, appointment.id, before=before, **facts)


def write(
    session: Session,
    actor: Actor,
    state: State,
    appointment_id: UUID,
    *,
    before: State | None = None,
    **facts: str,
) -> None:
    """The audit row of a state."""
    audit.record(
        session,
        actor=actor,
        action=f"appointment.{state.lower()}",
        object_type=MATTER,
        object_id=appointment_id,
        before=None if before is None else {"state": before},
        after={"state": state},
        **facts,
    )


def close(
    session: Session,
    appointment: Appointment,
    to: State,
    actor: Actor,
    *,
    closing: Closing,
    now: datetime,
    note: str = "",
) -> None:
    """End a booking before the visit and give its time back to the slot."""
    appointment.closing, appointment.closed_at, appointment.close_note = closing, now, note
    move(session, appointment, to, actor, closing=closing)
    session.flush()
    slots.give_back(session, appointment.slot_id, appointment.minutes, entitled=appointment.entitled)


def tell(
    session: Session,
    appointment: Appointment,
    template: str,
    *,
    event: str,
    note: str = "",
    owner_reads: str | None = None,
) -> None:
    """One message to the right-holder, and one to who acts for them (DG-2). `owner_reads`: the right-holder's language, if known."""
    for receiver in acting.receivers(session, owner_id=appointment.owner_id, acting_id=appointment.acting_id):
        reads = owner_reads if receiver == appointment.owner_id else None
        tell_one(session, appointment, receiver, template, event=event, note=note, reads=reads)


def tell_one(
    session: Session,
    appointment: Appointment,
    receiver: UUID,
    template: str,
    *,
    event: str,
    note: str = "",
    reads: str | None = None,
) -> None:
    """One message to one person about an appointment; the same `event` is never told twice. `reads`: their language, if known."""
    announce(
        session,
        to=receiver,
        template=template,
        event_id=f"{MATTER}:{appointment.id}:{event}",
        fields={
            "matter": appointment.item_name,
            "number": appointment.number,
            "when": f"{clock.local(appointment.starts_at):%Y-%m-%d %H:%M}",
            "where": appointment.hall_name,
            "note": note,
        },
        matter_type=MATTER,
        matter_id=appointment.id,
        sensitive=appointment.sensitive,
        language=reads,
    )
