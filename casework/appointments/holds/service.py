"""Giving held places back: one's own, and those that ran out (AP-10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, select
from sqlalchemy.orm import Session

from casework.appointments.models import Appointment
from casework.appointments.rules import State
from casework.slots import service as slots


def locked(session: Session, which: ColumnElement[bool]) -> Sequence[Row[UUID, UUID, int, bool]]:
    """Holds (key, slot, minutes, entitled), locked by one statement in key order.

    So those who tidy the same ones wait for each other and never in a ring.
    """
    query = select(Appointment.id, Appointment.slot_id, Appointment.minutes, Appointment.entitled)
    query = query.where(Appointment.state == State.HELD, which).order_by(Appointment.id).with_for_update()
    return session.execute(query).all()


def release(session: Session, held: Sequence[Row[UUID, UUID, int, bool]]) -> None:
    """Delete holds that are locked, and give their time back. Their slots are locked, or there is only one."""
    if not held:
        return
    session.execute(
        delete(Appointment).where(Appointment.id.in_([hold.id for hold in held])),
        execution_options={"synchronize_session": False},
    )
    for hold in held:
        slots.give_back(session, hold.slot_id, hold.minutes, entitled=hold.entitled)


def give_up(session: Session, *, owner_id: UUID, hold_id: UUID) -> None:
    """Free a hold of this person, if there is one."""
    release(session, locked(session, and_(Appointment.id == hold_id, Appointment.owner_id == owner_id)))


def free_expired(session: Session, *, slot_id: UUID, now: datetime) -> None:
    """Free the holds of a slot that ran out."""
    release(session, locked(session, and_(Appointment.slot_id == slot_id, Appointment.hold_until <= now)))
