"""One function per thing done at the hall's desk and windows. The session is given; nothing here commits."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from casework.appointments import queries as appointments
from casework.appointments import service as bookings
from casework.appointments.visit import service as visit
from casework.catalogue import queries as catalogue
from casework.places import queries as places
from casework.queue import queries, rules
from casework.queue.errors import QrInvalid, WindowBusy
from casework.queue.events import TicketCalled, TicketFinished
from casework.queue.models import HallQueue, Ticket, TicketCall
from casework.queue.rules import Lane, Priority, Result, State
from casework.slots import queries as slots
from casework.slots.service import hall_of
from core import audit, clock, ids
from core.actors import Actor, Staff
from core.errors import InvalidInput, StateConflict
from core.events import publish
from core.identifiers import DocumentNumber
from core.ids import parse_numbered
from core.numbers import Kind
from notifications.messages.service import announce

MATTER = "ticket"


def check_in(
    session: Session,
    *,
    actor: Staff,
    qr_text: str | None = None,
    number: str | None = None,
    document: DocumentNumber | None = None,
) -> Ticket:
    """Somebody with a booking is here: by QR code, by number, or by the card in the clerk's hand (AP-16, AP-17).

    The first to arrive gets the ticket; another party's card completes it (AP-12). Raises `QrInvalid`, `NotFound` (no booking
    of this hall and day), `CheckinTooEarly`, `CheckinTooLate`, `StateConflict` (checked in before, cancelled).
    """
    hall_id = hall_of(actor)
    now = clock.now()
    today = clock.local(now).date()
    appointment_id = None if qr_text is None else bookings.appointment_of_qr(qr_text, now)
    canonical = None if number is None else parse_numbered(Kind.APPOINTMENT.value, number)
    if qr_text is not None and appointment_id is None:
        raise QrInvalid()
    lookup = accounts.document_lookup(document) if document is not None else None
    expected = appointments.expected(
        session,
        hall_id=hall_id,
        day=today,
        appointment_id=appointment_id,
        number=canonical,
        owner_id=accounts.find_by_document(session, document) if document is not None else None,
        document_lookup=lookup,
    )
    queue = _locked(session, hall_id, expected.zone_code, today)
    arrived = visit.arrive(
        session, actor=actor, appointment_id=expected.id, hall_id=hall_id, document_lookup=lookup, now=now
    )
    if not arrived.first:
        return _complete(session, expected.id, arrived.missing)
    room = slots.running_room(session, hall_id, arrived.zone_code, now)
    lane = rules.lane_of(arrived.arrival, room_minutes=room, minutes=arrived.minutes)
    return _issue(
        session,
        queue,
        actor,
        lane=lane,
        priority=None,
        queue_at=rules.queue_from(arrived.arrival, arrived.starts_at, now),
        now=now,
        appointment_id=arrived.appointment_id,
        item_id=arrived.item_id,
        prereviewed=arrived.prereviewed,
        missing=arrived.missing,
    )


def _complete(session: Session, appointment_id: UUID, missing: int) -> Ticket:
    ticket = session.scalars(select(Ticket).where(Ticket.appointment_id == appointment_id).with_for_update()).one()
    ticket.missing = missing
    return ticket


def issue_walk_in(
    session: Session, *, actor: Staff, zone_code: str, item_id: str | None, priority: Priority | None
) -> Ticket:
    """A ticket for whoever came without a booking; no account is needed (AP-20).

    Raises `InvalidInput` (the hall has no such zone, the item is another zone's), `ItemNotInForce`.
    """
    hall_id = hall_of(actor)
    now = clock.now()
    today = clock.local(now).date()
    if zone_code not in places.zone_codes(session, hall_id):
        raise InvalidInput(fields={"zone_code": ["本大厅没有这个区 / this hall has no such zone"]})
    if item_id is not None and catalogue.item_in_force(session, item_id, today).zone_code != zone_code:
        raise InvalidInput(fields={"item_id": ["该事项不在这个区办理 / this item belongs to another zone"]})
    return _issue(
        session,
        _locked(session, hall_id, zone_code, today),
        actor,
        lane=Lane.WALK_IN if priority is None else Lane.PRIORITY,
        priority=priority,
        queue_at=now,
        now=now,
        item_id=item_id,
    )


def _issue(
    session: Session,
    queue: HallQueue,
    actor: Actor,
    *,
    lane: Lane,
    priority: Priority | None,
    queue_at: datetime,
    now: datetime,
    appointment_id: UUID | None = None,
    item_id: str | None = None,
    prereviewed: bool = False,
    missing: int = 0,
) -> Ticket:
    if lane is Lane.BOOKED:
        queue.last_booked += 1
        running = queue.last_booked
    else:
        queue.last_other += 1
        running = queue.last_other
    ticket = Ticket(
        id=ids.uuid7(),
        hall_id=queue.hall_id,
        zone_code=queue.zone_code,
        day=queue.day,
        number=rules.number(rules.prefix(lane, queue.zone_code), running),
        state=State.WAITING,
        lane=lane,
        priority=priority,
        appointment_id=appointment_id,
        item_id=item_id,
        prereviewed=prereviewed,
        missing=missing,
        queue_at=queue_at,
        calls=0,
        passes=0,
        issued_at=now,
        wasted_trip=False,
    )
    session.add(ticket)
    session.flush()
    _write(session, actor, ticket, before=None)
    return ticket


def call_next(session: Session, *, actor: Staff, window_code: str) -> Ticket | None:
    """The window calls whoever is next by AP-18; None when nobody it can serve waits.

    Raises `NotFound` (no such window here), `StateConflict` (the window is paused), `WindowBusy`.
    """
    hall_id = hall_of(actor)
    now = clock.now()
    today = clock.local(now).date()
    window = queries.window(session, hall_id, window_code, today)
    if not window.open:
        raise StateConflict()
    queue = _locked(session, hall_id, window.zone_code, today)
    if queries.at_window(session, hall_id, today, window_code):
        raise WindowBusy()
    waiting = [
        ticket
        for ticket in queries.waiting_tickets(session, hall_id, window.zone_code, today)
        if window.items is None or ticket.item_id in window.items
    ]
    state = rules.state_of(queue)
    following = rules.next_ticket(queries.as_waiting(waiting), state, now, slots.policy(session, hall_id))
    if following is None:
        return None
    after = state.after(following.lane)
    queue.calls_made, queue.booked_in_a_row = after.calls_made, after.booked_in_a_row
    ticket = queries.in_hall(session, following.key, hall_id, lock=True)
    ticket.window_code, ticket.window_name, ticket.returns_after = window.code, window.name, None
    _move(session, ticket, State.CALLED, actor)
    _call(session, ticket, actor, now)
    return ticket


def recall(session: Session, *, actor: Staff, ticket_id: UUID) -> Ticket:
    """Call a number that didn't come again, a minute later at the earliest (AP-19). Raises `StateConflict`, `CallTooSoon`."""
    ticket = _of_queue(session, actor, ticket_id)
    if ticket.state != State.CALLED or ticket.called_at is None:
        raise StateConflict(extra={"state": ticket.state})
    now = clock.now()
    rules.check_recall(ticket.calls, ticket.called_at, now, slots.policy(session, ticket.hall_id))
    _call(session, ticket, actor, now)
    return ticket


def _call(session: Session, ticket: Ticket, actor: Staff, now: datetime) -> None:
    ticket.calls += 1
    ticket.called_at = now
    window = ticket.window_code or ""
    session.add(TicketCall(ticket_id=ticket.id, at=now, window_code=window, staff_id=actor.staff_id))
    session.flush()
    publish(session, TicketCalled(ticket.id, ticket.appointment_id, window))
    if ticket.appointment_id is None:
        return
    for receiver in dict.fromkeys(appointments.people(session, ticket.appointment_id)):
        announce(
            session,
            to=receiver,
            template="TICKET_CALLED",
            event_id=f"{MATTER}:{ticket.id}:called:{ticket.passes}:{ticket.calls}",
            fields={"number": ticket.number, "where": ticket.window_name or ""},
            matter_type=bookings.MATTER,
            matter_id=ticket.appointment_id,
        )


def pass_over(session: Session, *, actor: Staff, ticket_id: UUID) -> Ticket:
    """Pass a number that was called three times and didn't come (AP-19). Raises `StateConflict`, `CallTooSoon`."""
    ticket = _of_queue(session, actor, ticket_id)
    rules.check_move(State(ticket.state), State.PASSED)
    now = clock.now()
    rules.check_pass(ticket.calls, ticket.called_at or now, now, slots.policy(session, ticket.hall_id))
    _pass(session, ticket, actor, now)
    return ticket


def _pass(session: Session, ticket: Ticket, actor: Actor, now: datetime) -> None:
    ticket.passes += 1
    ticket.passed_at, ticket.calls = now, 0
    ticket.window_code = ticket.window_name = None
    _move(session, ticket, State.PASSED, actor)


def bring_back(session: Session, *, actor: Staff, ticket_id: UUID) -> Ticket:
    """A passed number is back, once and within half an hour: it is next after three more (AP-19). Raises `StateConflict`."""
    ticket = _of_queue(session, actor, ticket_id)
    rules.check_move(State(ticket.state), State.WAITING)
    now = clock.now()
    policy = slots.policy(session, ticket.hall_id)
    rules.check_return(ticket.passes, ticket.passed_at or now, now, policy)
    queue = _locked(session, ticket.hall_id, ticket.zone_code, ticket.day)
    ticket.returns_after = queue.calls_made + policy.return_after_calls
    _move(session, ticket, State.WAITING, actor)
    return ticket


def serve(session: Session, *, actor: Staff, ticket_id: UUID) -> Ticket:
    """The person is at the window. Raises `StateConflict`."""
    ticket = _of_queue(session, actor, ticket_id)
    rules.check_move(State(ticket.state), State.SERVING)
    if ticket.appointment_id is not None:
        visit.serve(session, actor=actor, appointment_id=ticket.appointment_id)
    ticket.served_at = clock.now()
    _move(session, ticket, State.SERVING, actor)
    return ticket


def finish(session: Session, *, actor: Staff, ticket_id: UUID, result: Result) -> Ticket:
    """The visit ended, with its result (AP-21). Raises `StateConflict`."""
    ticket = _of_queue(session, actor, ticket_id)
    _finish(session, ticket, actor, result)
    return ticket


def _finish(session: Session, ticket: Ticket, actor: Actor, result: Result) -> None:
    rules.check_move(State(ticket.state), State.FINISHED)
    if ticket.appointment_id is not None:
        visit.finish(session, actor=actor, appointment_id=ticket.appointment_id, result=result)
    ticket.result, ticket.ended_at = result, clock.now()
    ticket.wasted_trip = rules.is_wasted(result, prereviewed=ticket.prereviewed)
    _move(session, ticket, State.FINISHED, actor)
    publish(session, TicketFinished(ticket.id, ticket.appointment_id, result, ticket.wasted_trip))


def void(session: Session, *, actor: Actor, ticket_id: UUID, hall_id: UUID) -> None:
    """Nobody came back for a passed number, or the hall closed (AP-19): the ticket is void, its visit over without a penalty."""
    ticket = _lock_through_queue(session, queries.in_hall(session, ticket_id, hall_id))
    state = State(ticket.state)
    if state is State.SERVING:
        _finish(session, ticket, actor, Result.UNRECORDED)
        return
    if state is State.CALLED:
        _pass(session, ticket, actor, clock.now())
    elif state not in {State.WAITING, State.PASSED}:
        return
    if ticket.appointment_id is not None:
        visit.finish(session, actor=actor, appointment_id=ticket.appointment_id, result=Result.LEFT)
    ticket.ended_at = clock.now()
    _move(session, ticket, State.VOID, actor)


def _of_queue(session: Session, actor: Staff, ticket_id: UUID) -> Ticket:
    """A ticket of the clerk's hall, its queue and its row locked, in this order."""
    return _lock_through_queue(session, queries.in_hall(session, ticket_id, hall_of(actor)))


def _lock_through_queue(session: Session, ticket: Ticket) -> Ticket:
    _locked(session, ticket.hall_id, ticket.zone_code, ticket.day)
    return queries.in_hall(session, ticket.id, ticket.hall_id, lock=True)


def _locked(session: Session, hall_id: UUID, zone_code: str, day: date) -> HallQueue:
    """The row of the queue, locked; made when it is the day's first."""
    key = {"hall_id": hall_id, "zone_code": zone_code, "day": day}
    query = select(HallQueue).filter_by(**key).with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        session.execute(insert(HallQueue).values(**key).on_conflict_do_nothing())
        found = session.scalars(query).one()
    return found


def _move(session: Session, ticket: Ticket, to: State, actor: Actor) -> None:
    before = State(ticket.state)
    rules.check_move(before, to)
    ticket.state = to
    session.flush()
    _write(session, actor, ticket, before=before)


def _write(session: Session, actor: Actor, ticket: Ticket, *, before: State | None) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"ticket.{ticket.state.lower()}",
        object_type=MATTER,
        object_id=ticket.id,
        before=None if before is None else {"state": before},
        after={"state": ticket.state, "lane": ticket.lane},
        window=ticket.window_code,
        outcome=ticket.result,
    )
