"""The queue at the windows: walk-in tickets, calling, recalling, passing, serving, finishing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.staff.roles import FRONT_CLERK, HALL_MANAGER
from casework.queue import queries, service
from casework.queue.models import Ticket
from casework.queue.rules import GIVEN_RESULTS, LABELS, Lane, Priority, Result, State
from casework.slots.service import hall_of
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.request_context import language
from core.web.schemas import Code, Moment, Text

blp = Blueprint("staff_queue", __name__, url_prefix="/staff/v1/queue", description="排队叫号 / Queue (staff)")


class TicketQueryIn(PageIn):
    """Filters of the list."""

    zone_code = Text(10, load_default=None)
    state = ma.fields.Enum(State, by_value=True, load_default=None)


class TicketIn(ma.Schema):
    """Somebody without a booking (AP-20)."""

    zone_code = Text(10, required=True)
    item_id = Text(40, load_default=None)
    priority = ma.fields.Enum(Priority, by_value=True, load_default=None)


class CallIn(ma.Schema):
    """The window that is free."""

    window = Text(20, required=True)


class FinishIn(ma.Schema):
    """How the visit ended (AP-21)."""

    result = ma.fields.Enum(
        Result, by_value=True, required=True, validate=ma.validate.OneOf([*GIVEN_RESULTS], error="不可选")
    )


class StaffTicketOut(ma.Schema):
    """A number in the queue."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    zone_code = ma.fields.String(required=True)
    lane = Code(Lane, required=True)
    priority = Code(Priority, required=True, allow_none=True)
    state = Code(State, required=True)
    state_label = ma.fields.Function(lambda one: LABELS[State(one.state)][language() == "en"], required=True)
    item_id = ma.fields.String(required=True, allow_none=True)
    prereviewed = ma.fields.Boolean(required=True)
    missing = ma.fields.Integer(required=True, metadata={"description": "Parties that are still to come (AP-12)"})
    calls = ma.fields.Integer(required=True)
    window = ma.fields.String(attribute="window_code", required=True, allow_none=True)
    issued_at = Moment(required=True)
    called_at = Moment(required=True, allow_none=True)
    result = Code(Result, required=True, allow_none=True)


class NextOut(ma.Schema):
    """Who was called; null when nobody waits for this window."""

    ticket = ma.fields.Nested(StaffTicketOut, required=True, allow_none=True)


@blp.get("")
@access.staff(FRONT_CLERK, HALL_MANAGER)
@blp.arguments(TicketQueryIn, location="query")
@blp.response(200, page_out(StaffTicketOut))
def list_tickets(args: dict[str, Any]) -> Page[Ticket]:
    """List today's tickets of my hall, oldest first."""
    with transaction() as session:
        return queries.page_of_hall(session, hall_of(access.staff_actor()), clock.today(), args)


@blp.post("/tickets")
@access.staff(FRONT_CLERK, HALL_MANAGER)
@run_once
@blp.arguments(TicketIn)
@blp.response(201, StaffTicketOut)
def issue_walk_in(data: dict[str, Any]) -> Ticket:
    """Give a number to somebody without a booking."""
    with transaction() as session:
        return service.issue_walk_in(session, actor=access.staff_actor(), **data)


@blp.post("/call-next")
@access.staff(FRONT_CLERK)
@blp.arguments(CallIn)
@blp.response(200, NextOut)
def call_next(data: dict[str, Any]) -> dict[str, Ticket | None]:
    """Call whoever is next to my window."""
    with transaction() as session:
        return {"ticket": service.call_next(session, actor=access.staff_actor(), window_code=data["window"])}


@blp.post("/tickets/<uuid:ticket_id>/recall")
@access.staff(FRONT_CLERK)
@blp.response(200, StaffTicketOut)
def recall(ticket_id: UUID) -> Ticket:
    """Call a number again, a minute later at the earliest."""
    with transaction() as session:
        return service.recall(session, actor=access.staff_actor(), ticket_id=ticket_id)


@blp.post("/tickets/<uuid:ticket_id>/pass")
@access.staff(FRONT_CLERK)
@blp.response(200, StaffTicketOut)
def pass_over(ticket_id: UUID) -> Ticket:
    """Pass a number that didn't come after three calls."""
    with transaction() as session:
        return service.pass_over(session, actor=access.staff_actor(), ticket_id=ticket_id)


@blp.post("/tickets/<uuid:ticket_id>/return")
@access.staff(FRONT_CLERK, HALL_MANAGER)
@blp.response(200, StaffTicketOut)
def bring_back(ticket_id: UUID) -> Ticket:
    """Let a passed number wait again, once and within half an hour."""
    with transaction() as session:
        return service.bring_back(session, actor=access.staff_actor(), ticket_id=ticket_id)


@blp.post("/tickets/<uuid:ticket_id>/serve")
@access.staff(FRONT_CLERK)
@blp.response(200, StaffTicketOut)
def serve(ticket_id: UUID) -> Ticket:
    """Begin with the person who came to my window."""
    with transaction() as session:
        return service.serve(session, actor=access.staff_actor(), ticket_id=ticket_id)


@blp.post("/tickets/<uuid:ticket_id>/finish")
@access.staff(FRONT_CLERK)
@blp.arguments(FinishIn)
@blp.response(200, StaffTicketOut)
def finish(data: dict[str, Any], ticket_id: UUID) -> Ticket:
    """End the visit with its result."""
    with transaction() as session:
        return service.finish(session, actor=access.staff_actor(), ticket_id=ticket_id, **data)
