"""Showing and taking over a new version in a booking or a hold (S22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from casework.acting import service as acting
from casework.appointments import queries
from casework.appointments.drafts.service import situation
from casework.appointments.models import Appointment
from casework.appointments.rules import State
from casework.catalogue import queries as catalogue
from casework.catalogue.differences import queries as differences
from casework.catalogue.differences.queries import Difference
from casework.catalogue.rules import Item
from casework.catalogue.situations.rules import walk
from casework.prereview.errors import ItemVersionChanged
from core import audit
from core.actors import Action, Citizen
from core.errors import StateConflict

OPEN = (State.HELD, State.BOOKED)
"""States in which what is to be brought can still change."""


@dataclass(frozen=True, slots=True)
class BookingChange:
    """What the version in force on the day of the visit says otherwise."""

    item: Item
    difference: Difference


def change_of(session: Session, appointment: Appointment) -> BookingChange | None:
    """What changed for an open booking, or None: two queries, six when something did. Raises `ItemNotInForce`."""
    if appointment.state not in OPEN:
        return None
    item = catalogue.item_in_force(session, appointment.item_id, appointment.day)
    if item.version_id == appointment.version_id:
        return None
    return BookingChange(item, differences.between(session, appointment.version_id, item.version_id))


def adopt(
    session: Session,
    *,
    actor: Citizen,
    appointment_id: UUID,
    version_id: UUID,
    answers: Mapping[str, str] | None = None,
) -> Appointment:
    """Take over the version that was shown: the papers to bring are made anew, from `answers` or those given before.

    Raises `NotFound`, `StateConflict` (the visit is over or running), `ItemVersionChanged` (it isn't `version_id` any
    more), `ItemNotInForce`, `InvalidInput` (questions of the new version without an answer).
    """
    appointment = queries.owned(session, appointment_id, actor.owner_id, lock=True)
    acting.require_matter(
        session,
        actor=actor,
        action=Action.SUBMIT,
        version_id=appointment.version_id,
        hall_id=appointment.hall_id,
    )
    if appointment.state not in OPEN:
        raise StateConflict(extra={"state": appointment.state})
    change = change_of(session, appointment)
    if change is None:
        return appointment
    if change.item.version_id != version_id:
        raise ItemVersionChanged(
            extra={
                "version_id": str(change.item.version_id),
                "difference": change.difference.told("zh", to_citizen=True),
            }
        )
    given = walk(change.item.questions, appointment.answers).known if answers is None else answers
    known, papers = situation(change.item, None, given)
    appointment.version_id, appointment.item_name = change.item.version_id, change.item.name
    appointment.answers, appointment.papers = known, papers
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="appointment.adopt_version",
        object_type="appointment",
        object_id=appointment.id,
        version_id=str(version_id),
    )
    return appointment
