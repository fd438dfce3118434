"""Reads of the hall queue. What anybody may see holds numbers only; staff see their own hall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.places import queries as places
from casework.places.rules import WindowKind, WindowState
from casework.queue import rules
from casework.queue.models import HallQueue, Ticket
from casework.queue.rules import Lane, QueueState, State, Waiting
from casework.slots.rules import HallPolicy
from core.errors import NotFound
from core.web.paging import Page, by_id

_AT_WINDOW = (State.CALLED, State.SERVING)


@dataclass(frozen=True, slots=True)
class Window:
    """A window as the queue needs it. `items`: what a special window takes; None: every item of the zone."""

    code: str
    name: str
    zone_code: str
    open: bool
    items: frozenset[str] | None


def window(session: Session, hall_id: UUID, code: str, day: date) -> Window:
    """The window of this hall. Raises `NotFound`."""
    for zone in places.hall_detail(session, hall_id, day, "zh")["zones"]:
        for found in zone["windows"]:
            if found["code"] == code:
                special = found["kind"] == WindowKind.SPECIAL
                return Window(
                    code=code,
                    name=found["name"],
                    zone_code=zone["code"],
                    open=found["state"] == WindowState.OPEN,
                    items=frozenset(found["items"]) if special else None,
                )
    raise NotFound()


def in_hall(session: Session, ticket_id: UUID, hall_id: UUID, *, lock: bool = False) -> Ticket:
    """A ticket of this hall. `lock` holds its row. Raises `NotFound`."""
    query = select(Ticket).where(Ticket.id == ticket_id, Ticket.hall_id == hall_id)
    query = query.with_for_update() if lock else query
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def waiting_tickets(session: Session, hall_id: UUID, zone_code: str, day: date) -> list[Ticket]:
    """The tickets that wait in a zone."""
    query = select(Ticket).where(
        Ticket.hall_id == hall_id, Ticket.zone_code == zone_code, Ticket.day == day, Ticket.state == State.WAITING
    )
    return list(session.scalars(query))


def as_waiting(tickets: Sequence[Ticket]) -> list[Waiting]:
    """The tickets as the rules of calling see them."""
    return [Waiting(one.id, Lane(one.lane), one.queue_at, one.returns_after, one.missing) for one in tickets]


def at_window(session: Session, hall_id: UUID, day: date, window_code: str) -> bool:
    """Whether the window has somebody it called or serves."""
    query = select(Ticket.id).where(
        Ticket.hall_id == hall_id, Ticket.day == day, Ticket.window_code == window_code, Ticket.state.in_(_AT_WINDOW)
    )
    return session.execute(query.limit(1)).first() is not None


def page_of_hall(session: Session, hall_id: UUID, day: date, args: Mapping[str, Any]) -> Page[Ticket]:
    """The hall's tickets of a day, oldest first; by zone and state if asked."""
    query = select(Ticket).where(Ticket.hall_id == hall_id, Ticket.day == day)
    if args.get("zone_code"):
        query = query.where(Ticket.zone_code == args["zone_code"])
    if args.get("state"):
        query = query.where(Ticket.state == args["state"])
    return by_id(session, query, Ticket.id, args, newest_first=False)


def live(session: Session, hall_id: UUID, day: date) -> list[dict[str, Any]]:
    """The queue of a hall as anybody may see it: by zone how many wait, and which numbers are at which window (S1)."""
    counts = session.execute(
        select(
            Ticket.zone_code,
            func.count().filter(Ticket.lane == Lane.BOOKED).label("booked"),
            func.count().filter(Ticket.lane != Lane.BOOKED).label("walk_in"),
        )
        .where(Ticket.hall_id == hall_id, Ticket.day == day, Ticket.state == State.WAITING)
        .group_by(Ticket.zone_code)
    ).all()
    called = session.execute(
        select(Ticket.zone_code, Ticket.number, Ticket.window_name, Ticket.state)
        .where(Ticket.hall_id == hall_id, Ticket.day == day, Ticket.state.in_(_AT_WINDOW))
        .order_by(Ticket.called_at.desc())
    ).all()
    waiting = {row.zone_code: (row.booked, row.walk_in) for row in counts}
    return [
        {
            "zone_code": zone_code,
            "waiting_booked": waiting.get(zone_code, (0, 0))[0],
            "waiting_walk_in": waiting.get(zone_code, (0, 0))[1],
            "called": [
                {"number": row.number, "window": row.window_name, "state": row.state}
                for row in called
                if row.zone_code == zone_code
            ],
        }
        for zone_code in places.zone_codes(session, hall_id)
    ]


@dataclass(frozen=True, slots=True)
class OwnTicket:
    """A citizen's own ticket: how many are before it (None once called), and where to go."""

    number: str
    state: State
    ahead: int | None
    window: str | None


def of_appointment(session: Session, appointment_id: UUID, now: datetime, policy: HallPolicy) -> OwnTicket:
    """The ticket of an appointment. Raises `NotFound` before check-in."""
    ticket = session.scalars(select(Ticket).where(Ticket.appointment_id == appointment_id)).one_or_none()
    if ticket is None:
        raise NotFound()
    ahead = None
    if ticket.state == State.WAITING:
        waiting = as_waiting(waiting_tickets(session, ticket.hall_id, ticket.zone_code, ticket.day))
        row = session.get(HallQueue, (ticket.hall_id, ticket.zone_code, ticket.day))
        state = QueueState(row.calls_made, row.booked_in_a_row) if row is not None else QueueState()
        ahead = rules.ahead_of(ticket.id, waiting, state, now, policy)
    return OwnTicket(ticket.number, State(ticket.state), ahead, ticket.window_name)


def left_open(session: Session, before: date, limit: int) -> list[tuple[UUID, UUID]]:
    """Key and hall of tickets of days up to `before` that nobody ended."""
    open_states = [State.WAITING, State.CALLED, State.SERVING, State.PASSED]
    query = select(Ticket.id, Ticket.hall_id).where(Ticket.day <= before, Ticket.state.in_(open_states))
    return [(row.id, row.hall_id) for row in session.execute(query.order_by(Ticket.id).limit(limit))]


def passed_before(session: Session, moment: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Key and hall of tickets that were passed for good: before `moment`, or for the second time."""
    query = select(Ticket.id, Ticket.hall_id).where(
        Ticket.state == State.PASSED, (Ticket.passed_at < moment) | (Ticket.passes > 1)
    )
    return [(row.id, row.hall_id) for row in session.execute(query.order_by(Ticket.id).limit(limit))]
