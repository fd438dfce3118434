"""Slots, bookings and tickets, made by the acts that lead there. The clock of these tests stands at `NOW` unless moved."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.appointments import queries, service
from casework.appointments.drafts.service import Details
from casework.appointments.models import Appointment
from casework.queue import service as queue
from casework.queue.models import Ticket
from casework.slots import service as slots
from casework.slots.models import Slot
from core import clock
from core.actors import Citizen, Staff
from core.clock import SHANGHAI
from core.db import transaction
from tests.factories.catalogue import CITY_HALL

# Tuesday afternoon: tomorrow's reserve is free to all (AP-6), Wednesday to next Tuesday are released (AP-5).
NOW = datetime(2026, 12, 1, 16, 0, tzinfo=SHANGHAI)
TOMORROW = date(2026, 12, 2)

# 存量房买卖转移登记: 25 minutes, zone Z4 with 16 windows; a second and a third item of the same zone; one of another.
ITEM, ZONE = "NB-002", "Z4"
PATH = "/api/v1/appointments"


def at(hour: int, minute: int = 0, day: date = TOMORROW) -> datetime:
    """A moment in Shanghai, on the day of the slots unless told otherwise."""
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def slot(session: Session, starts: datetime | None = None, *, zone_code: str = ZONE, hall_id: UUID = CITY_HALL) -> UUID:
    """The slot of the hall that starts at this moment (9:00 tomorrow if None), made with its day."""
    moment = starts or at(9)
    slots.ensure_slots(session, hall_id=hall_id, zone_code=zone_code, day=moment.astimezone(SHANGHAI).date())
    return session.scalars(
        select(Slot.id).where(Slot.hall_id == hall_id, Slot.zone_code == zone_code, Slot.starts_at == moment)
    ).one()


def windows(session: Session, manager: Staff, count: int, *, zone_code: str = ZONE, day: date = TOMORROW) -> None:
    """Let the zone have so many windows on that weekday. 7 windows are 5 places of 25 minutes (126 minutes)."""
    slots.set_plan(
        session,
        actor=manager,
        zone_code=zone_code,
        weekday=day.isoweekday(),
        periods=None,
        windows=count,
        slot_minutes=None,
        booking_percent=None,
    )


def book(
    session: Session,
    actor: Citizen,
    slot_id: UUID,
    *,
    item_id: str = ITEM,
    prereview_id: UUID | None = None,
    **details: Any,
) -> Appointment:
    """A booking of the citizen."""
    return service.book_own(
        session,
        actor=actor,
        slot_id=slot_id,
        item_id=item_id,
        prereview_id=prereview_id,
        details=Details(**details),
    )


def hold(session: Session, actor: Citizen, slot_id: UUID, *, item_id: str = ITEM) -> Appointment:
    """A place held by the citizen."""
    return service.hold(session, actor=actor, slot_id=slot_id, item_id=item_id, prereview_id=None, details=Details())


def stored(session: Session, appointment: Appointment) -> Appointment:
    """The appointment as it is in the database now."""
    return queries.owned(session, appointment.id, appointment.owner_id)


def counters(session: Session, slot_id: UUID) -> tuple[int, int]:
    """Minutes planned and used of a slot."""
    row = session.execute(select(Slot.planned_minutes, Slot.used_minutes).where(Slot.id == slot_id)).one()
    return row.planned_minutes, row.used_minutes


def later(minutes: int) -> datetime:
    """`NOW` and some minutes."""
    return NOW + timedelta(minutes=minutes)


def visit(person: Citizen, starts: datetime | None = None, **more: Any) -> Appointment:
    """A booking made the day before, for a visit tomorrow; committed."""
    with clock.at(NOW), transaction() as session:
        return book(session, person, slot(session, starts), **more)


def arrive(clerk: Staff, appointment: Appointment, moment: datetime | None = None) -> Ticket:
    """The person of a booking checks in by its number (at nine if no moment is given); committed."""
    with clock.at(moment or at(9)), transaction() as session:
        return queue.check_in(session, actor=clerk, number=appointment.number)


def call(clerk: Staff, window: str = "Z4-01", moment: datetime | None = None) -> Ticket | None:
    """A window calls whoever is next; committed."""
    with clock.at(moment or clock.now()), transaction() as session:
        return queue.call_next(session, actor=clerk, window_code=window)


def wanted(slot_id: UUID, **more: Any) -> dict[str, Any]:
    """The body of a request for this slot."""
    return {"slot_id": str(slot_id), "item_id": ITEM, **more}


def post(
    client: FlaskClient, headers: dict[str, str], path: str = "", body: Any = None, *, key: str | None = None
) -> Any:
    """A POST to the booking API with an Idempotency-Key, a new one if none is given."""
    return client.post(f"{PATH}{path}", json=body, headers={**headers, "Idempotency-Key": key or str(uuid4())})
