"""The person's own appointments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.personal_data.ports import OpenMatter
from casework.appointments.models import Appointment
from casework.appointments.rules import LABELS, LIVE, State


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every appointment; of the others who had to come not even the number."""
    rows = session.scalars(select(Appointment).where(Appointment.owner_id == subject_id).order_by(Appointment.id))
    return {
        "appointments": [
            {
                "number": row.number,
                "item": row.item_name,
                "hall": row.hall_name,
                "starts_at": row.starts_at,
                "state": row.state,
                "answers": row.answers,
                "needs": row.needs,
                "booked_at": row.booked_at,
                "arrived_at": row.arrived_at,
                "closed_at": row.closed_at,
            }
            for row in rows
        ]
    }


def open_matters(session: Session, subject_id: UUID) -> Sequence[OpenMatter]:
    """Bookings that are still to come."""
    rows = session.execute(
        select(Appointment.number, Appointment.item_name, Appointment.state)
        .where(Appointment.owner_id == subject_id, Appointment.state.in_(LIVE - {State.HELD}))
        .order_by(Appointment.id)
    )
    return [OpenMatter("APPOINTMENT", row.number, row.item_name, LABELS[State(row.state)]) for row in rows]
