"""Which bookings a frozen person is in."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from casework.appointments.models import Appointment, AppointmentParty
from casework.appointments.rules import Closing, State


def own(session: Session, subject_id: UUID) -> Mapping[UUID, State]:
    """The person's holds and bookings to come, by key."""
    query = select(Appointment.id, Appointment.state).where(
        Appointment.owner_id == subject_id, Appointment.state.in_([State.HELD, State.BOOKED])
    )
    return {row.id: State(row.state) for row in session.execute(query.order_by(Appointment.id))}


def comes_for_others(session: Session, subject_id: UUID) -> list[UUID]:
    """The bookings of others for which the person was to come."""
    query = select(Appointment.id).where(
        Appointment.acting_id == subject_id, Appointment.owner_id != subject_id, Appointment.state == State.BOOKED
    )
    return list(session.scalars(query.order_by(Appointment.id)))


def party_of(session: Session, subject_id: UUID) -> list[UUID]:
    """The bookings in which somebody else named the person; by document too, for who joined us after that."""
    document = people.document(session, subject_id)
    named = [AppointmentParty.subject_id == subject_id]
    if document is not None:
        named.append(AppointmentParty.document_lookup == people.document_lookup(document))
    query = select(Appointment.id).where(
        Appointment.id.in_(select(AppointmentParty.appointment_id).where(or_(*named))),
        Appointment.state == State.BOOKED,
    )
    return list(session.scalars(query.order_by(Appointment.id)))


def ended(session: Session, subject_id: UUID) -> list[Appointment]:
    """The person's bookings that a report of death ended and that weren't made up for yet."""
    query = select(Appointment).where(
        Appointment.owner_id == subject_id,
        Appointment.state == State.HALL_CANCELLED,
        Appointment.closing == Closing.DEATH,
        Appointment.replaced_by_id.is_(None),
    )
    return list(session.scalars(query.order_by(Appointment.id)))
