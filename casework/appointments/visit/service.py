"""Arrival, service and end of a visit, the hall's own cancellations, and no-shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from casework.appointments import queries, rules
from casework.appointments.events import AppointmentCancelled, CheckedIn, NoShow
from casework.appointments.models import Appointment
from casework.appointments.record import service as record
from casework.appointments.rules import Arrival, Closing, State
from casework.appointments.taking.service import lock_persons
from casework.slots import queries as slots
from casework.slots import rules as slot_rules
from casework.slots.rules import Sitting
from core import clock
from core.actors import Actor, Staff, System
from core.errors import NotFound, StateConflict
from core.events import publish

_CLOCK = System("appointment-clock")
_HALL = System("hall-closure")


@dataclass(frozen=True, slots=True)
class Arrived:
    """What the queue needs to make a ticket, or to see that more of the parties are there (AP-12)."""

    appointment_id: UUID
    owner_id: UUID
    hall_id: UUID
    zone_code: str
    item_id: str
    starts_at: datetime
    minutes: int
    arrival: Arrival
    first: bool
    missing: int
    prereviewed: bool


def arrive(
    session: Session, *, actor: Staff, appointment_id: UUID, hall_id: UUID, document_lookup: bytes | None, now: datetime
) -> Arrived:
    """Somebody of this appointment is here (AP-16, AP-17). Another party of one that is checked in already counts as arrived too.

    `document_lookup`: of the card shown, if one was. Raises `NotFound`, `StateConflict` (cancelled, over, or this person
    checked in before), `CheckinTooEarly`, `CheckinTooLate`.
    """
    appointment = queries.locked(session, appointment_id)
    if appointment.hall_id != hall_id:
        raise NotFound()
    first = appointment.state == State.BOOKED
    if not first and appointment.state != State.CHECKED_IN:
        rules.check_move(State(appointment.state), State.CHECKED_IN)
    policy = slots.policy(session, hall_id)
    how = rules.arrival(appointment.starts_at, now, policy) if first else Arrival.ON_TIME
    came = [party for party in appointment.parties if document_lookup and party.document_lookup == document_lookup]
    if not first and not any(party.arrived_at is None for party in came):
        raise StateConflict(extra={"state": appointment.state})
    for party in came:
        party.arrived_at = party.arrived_at or now
    if first:
        appointment.arrived_at = now
        record.move(session, appointment, State.CHECKED_IN, actor, arrival=how)
        publish(session, CheckedIn(appointment.id, appointment.owner_id))
    session.flush()
    return Arrived(
        appointment_id=appointment.id,
        owner_id=appointment.owner_id,
        hall_id=appointment.hall_id,
        zone_code=appointment.zone_code,
        item_id=appointment.item_id,
        starts_at=appointment.starts_at,
        minutes=appointment.minutes,
        arrival=how,
        first=first,
        missing=sum(party.arrived_at is None for party in appointment.parties),
        prereviewed=appointment.prereview_id is not None,
    )


def serve(session: Session, *, actor: Actor, appointment_id: UUID) -> None:
    """The window has begun with it. Raises `StateConflict`."""
    record.move(session, queries.locked(session, appointment_id), State.SERVING, actor)


def finish(session: Session, *, actor: Actor, appointment_id: UUID, result: str) -> None:
    """The visit is over, with the ticket's result (AP-21); also when its people left before they were served."""
    appointment = queries.locked(session, appointment_id)
    appointment.closed_at, appointment.result = clock.now(), result
    record.move(session, appointment, State.FINISHED, actor, result=result)


def miss(session: Session, *, appointment_id: UUID, now: datetime) -> bool:
    """Nobody came (AP-22): NO_SHOW, and who should have come is told when it is the second time. True if it was set."""
    appointment = queries.locked(session, appointment_id)
    policy = slots.policy(session, appointment.hall_id)
    if appointment.state != State.BOOKED or appointment.starts_at >= rules.missed_before(now, policy):
        return False
    appointment.closed_at = now
    record.move(session, appointment, State.NO_SHOW, _CLOCK)
    session.flush()
    publish(session, NoShow(appointment.id, appointment.owner_id))
    warn(session, appointment, now)
    return True


def warn(session: Session, appointment: Appointment, now: datetime) -> None:
    """Tell who should have come once it adds up to two missed visits, and until when booking online is closed at three (AP-22)."""
    policy = slots.policy(session, appointment.hall_id)
    person = appointment.acting_id
    since = now - timedelta(days=policy.strike_days + policy.block_days)
    session.flush()
    strikes = queries.strikes(session, person, since)
    if rules.halves_against(person, strikes, appointment.starts_at, policy) < policy.warn_halves:
        return
    until = rules.person_blocked_until(person, strikes, now, policy)
    note = "" if until is None else f"{until.year}年{until.month}月{until.day}日前暂不能网上预约。"
    record.tell_one(session, appointment, person, "APPOINTMENT_NO_SHOW_WARNING", event="no-show-warning", note=note)


def cancel_by_hall(session: Session, *, appointment_id: UUID, note: str) -> bool:
    """The hall cancels (AP-15): no penalty, priority when booking again, a message at once. True if it was still booked."""
    owner_id, _ = queries.people(session, appointment_id)
    lock_persons(session, owner_id)
    appointment = queries.locked(session, appointment_id)
    if appointment.state != State.BOOKED:
        return False
    now = clock.now()
    record.close(session, appointment, State.HALL_CANCELLED, _HALL, closing=Closing.HALL, now=now, note=note)
    publish(session, AppointmentCancelled(appointment.id, appointment.owner_id, appointment.state))
    record.tell(session, appointment, "APPOINTMENT_HALL_CANCELLED", event="hall-cancelled", note=note)
    return True


def withdrawn(session: Session, *, hall_id: UUID, day: date) -> list[tuple[UUID, UUID, State]]:
    """Key, owner and state of whoever the hall must move that day (AP-15).

    All of a closed slot; of a slot that windows fell out of, the latest booked beyond what the rest can do.
    """
    closed, over = slots.withdrawn(session, hall_id, day)
    waiting = queries.waiting_in(session, [*closed, *over])
    moved = [one for one in waiting if one.slot_id in closed]
    for slot_id, minutes in over.items():
        sitting = [
            Sitting(one, one.minutes, one.entitled, one.booked_at or one.created_at)
            for one in waiting
            if one.slot_id == slot_id
        ]
        moved += [one.key for one in slot_rules.whom_to_move(sitting, minutes)]
    return [(one.id, one.owner_id, State(one.state)) for one in moved]
