"""Booking: what is free, holding, booking, changing, cancelling, the QR code for check-in, and the live queue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson
from flask import Response

from casework.appointments import queries, service
from casework.appointments.drafts.service import Details
from casework.appointments.models import Appointment
from casework.appointments.offers import queries as offer_queries
from casework.appointments.offers import service as offers
from casework.appointments.parties.service import Party
from casework.appointments.rules import LABELS, Comes, Need, State
from casework.queue import queries as queue
from casework.queue.rules import State as TicketState
from casework.slots import queries as slots
from core import clock
from core.actors import Action, Capacity
from core.db import transaction
from core.identifiers import DocumentType, normalise_document, normalise_name
from core.limits import Limit
from core.masking import mask_name
from core.web import access
from core.web.blueprint import Blueprint
from core.web.caching import cacheable
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.request_context import language
from core.web.schemas import Code, Moment, Text, Whole

blp = Blueprint("appointments", __name__, url_prefix="/api/v1/appointments", description="预约 / Appointments")

LEVEL = 2
LOOKS = Limit("appointments.slots", 240, 60)
HOLDS = Limit("appointments.hold", 30, 600)
BOOKS = Limit("appointments.book", 60, 600)
QUEUE_SECONDS = 5
_DAYS_AT_MOST = 31


class SlotsIn(ma.Schema):
    """What to look for. `prereviewed`: with a passed pre-review a visit is shorter (AP-3)."""

    item_id = Text(40, required=True)
    hall_id = ma.fields.UUID(required=True)
    first = ma.fields.Date(load_default=None, data_key="from")
    days = Whole(1, _DAYS_AT_MOST, strict=False, load_default=7)
    prereviewed = ma.fields.Boolean(load_default=False)


class SlotOut(ma.Schema):
    """A slot and the places left: for everybody, and with those reserved for the old, the disabled and the hotline (AP-6)."""

    id = ma.fields.UUID(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    places = ma.fields.Integer(required=True)
    reserved_places = ma.fields.Integer(required=True)


class SlotDayOut(ma.Schema):
    """A day. `reason` says why nothing can be booked: HOLIDAY, WEEKEND, EXCEPTION, NOT_RELEASED, FULL and so on."""

    day = ma.fields.Date(required=True)
    open = ma.fields.Boolean(required=True)
    reason = ma.fields.String(required=True, allow_none=True)
    reason_text = ma.fields.String(required=True)
    slots = ma.fields.List(ma.fields.Nested(SlotOut), required=True)


class SlotsOut(ma.Schema):
    """What a hall offers for an item. `minutes`: how much of a slot one booking takes."""

    hall_id = ma.fields.UUID(required=True)
    zone_code = ma.fields.String(required=True)
    minutes = ma.fields.Integer(required=True)
    days = ma.fields.List(ma.fields.Nested(SlotDayOut), required=True)


class HallIn(ma.Schema):
    """Which hall."""

    hall_id = ma.fields.UUID(required=True)


class CalledOut(ma.Schema):
    """A number at a window."""

    number = ma.fields.String(required=True)
    window = ma.fields.String(required=True)
    state = Code(TicketState, required=True)


class ZoneQueueOut(ma.Schema):
    """How many wait in a zone, and who is called."""

    zone_code = ma.fields.String(required=True)
    waiting_booked = ma.fields.Integer(required=True)
    waiting_walk_in = ma.fields.Integer(required=True)
    called = ma.fields.List(ma.fields.Nested(CalledOut), required=True)


class QueueOut(ma.Schema):
    """The live queue of a hall; numbers only."""

    at = Moment(required=True)
    zones = ma.fields.List(ma.fields.Nested(ZoneQueueOut), required=True)


class PartyIn(ma.Schema):
    """Another person who must be there (AP-12). With a document they can check in by card."""

    name = Text(100, required=True)
    document_type = ma.fields.Enum(DocumentType, by_value=True, load_default=None)
    document_number = Text(40, load_default=None)

    @ma.validates_schema
    def _both_or_none(self, data: dict[str, Any], **_: Any) -> None:
        if (data["document_type"] is None) != (data["document_number"] is None):
            raise ma.ValidationError("证件类型和号码须同时填写 / type and number go together", "document_number")

    @ma.post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Party:
        kind, number = data["document_type"], data["document_number"]
        return Party(normalise_name(data["name"]), normalise_document(kind, number) if kind else None)


class DetailsIn(ma.Schema):
    """What the form asks (AP-11)."""

    comes = ma.fields.Enum(Comes, by_value=True, load_default=None)
    answers = ma.fields.Dict(keys=Text(80), values=Text(80), load_default=dict, validate=ma.validate.Length(max=50))
    needs = ma.fields.List(
        ma.fields.Enum(Need, by_value=True), load_default=list, validate=ma.validate.Length(max=len(Need))
    )
    language = ma.fields.String(load_default=None, validate=ma.validate.Regexp(r"\A[a-z]{2,3}\Z"))
    parties = ma.fields.List(ma.fields.Nested(PartyIn), load_default=list, validate=ma.validate.Length(max=6))


class HoldIn(DetailsIn):
    """Keep a place for five minutes."""

    slot_id = ma.fields.UUID(required=True)
    item_id = Text(40, required=True)
    prereview_id = ma.fields.UUID(load_default=None)


class BookIn(DetailsIn):
    """Book a held place (`hold_id`), or a slot at once (`slot_id`, `item_id`)."""

    hold_id = ma.fields.UUID(load_default=None)
    slot_id = ma.fields.UUID(load_default=None)
    item_id = Text(40, load_default=None)
    prereview_id = ma.fields.UUID(load_default=None)

    @ma.validates_schema
    def _one_way(self, data: dict[str, Any], **_: Any) -> None:
        slot = data["slot_id"] is not None and data["item_id"] is not None
        no_slot = data["slot_id"] is None and data["item_id"] is None and data["prereview_id"] is None
        if not (no_slot if data["hold_id"] is not None else slot):
            raise ma.ValidationError(
                "请给出 hold_id，或 slot_id 和 item_id / hold_id, or slot_id and item_id", "slot_id"
            )


class ChangeIn(ma.Schema):
    """The slot to move to."""

    slot_id = ma.fields.UUID(required=True)


class PartyOut(ma.Schema):
    """Another party, masked."""

    name = ma.fields.Function(lambda party: mask_name(party.name), required=True)
    arrived = ma.fields.Function(lambda party: party.arrived_at is not None, required=True)


class AppointmentSummaryOut(ma.Schema):
    """A line of the list."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    item_id = ma.fields.String(required=True)
    item_name = ma.fields.String(required=True)
    hall_id = ma.fields.UUID(required=True)
    hall_name = ma.fields.String(required=True)
    zone_code = ma.fields.String(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    state = Code(State, required=True)
    state_label = ma.fields.Function(lambda one: LABELS[State(one.state)][language() == "en"], required=True)
    hold_until = Moment(required=True, allow_none=True)


class AppointmentOut(AppointmentSummaryOut):
    """An appointment or a hold. `papers` are to be brought; `replaced_by_id` is where it was moved to."""

    slot_id = ma.fields.UUID(required=True)
    comes = Code(Comes, required=True)
    acted_by = Code(
        Capacity,
        required=True,
        allow_none=True,
        metadata={"description": "As what somebody booked; null: staff (DG-2)"},
    )
    prereview_id = ma.fields.UUID(required=True, allow_none=True)
    papers = ma.fields.List(ma.fields.String(), required=True)
    needs = ma.fields.List(ma.fields.String(), required=True)
    language = ma.fields.String(required=True, allow_none=True)
    parties = ma.fields.List(ma.fields.Nested(PartyOut), required=True)
    changes = ma.fields.Integer(required=True)
    booked_at = Moment(required=True, allow_none=True)
    closed_at = Moment(required=True, allow_none=True)
    close_note = ma.fields.String(required=True, allow_none=True)
    replaced_by_id = ma.fields.UUID(required=True, allow_none=True)


class TicketOut(ma.Schema):
    """My number in the queue; `ahead`: how many are called before me."""

    number = ma.fields.String(required=True)
    state = Code(TicketState, required=True)
    ahead = ma.fields.Integer(required=True, allow_none=True)
    window = ma.fields.String(required=True, allow_none=True)


class QrOut(ma.Schema):
    """The text to show as a QR code at the hall, good on the day of the appointment."""

    text = ma.fields.String(required=True)


def _details(data: dict[str, Any]) -> Details:
    return Details(**{name: data.pop(name) for name in ("comes", "answers", "needs", "language", "parties")})


@blp.get("/slots")
@access.public("free slots name nobody", limit=LOOKS)
@blp.arguments(SlotsIn, location="query")
@blp.response(200, SlotsOut)
def list_slots(args: dict[str, Any]) -> Response:
    """Show the free slots of a hall for an item, with the reason where there are none."""
    with transaction() as session:
        answer = offer_queries.answer(session, offers.offer(session, **args), language())
    return Response(orjson.dumps(answer), content_type="application/json")


@blp.get("/queue")
@access.public("the queue shows numbers only", limit=LOOKS)
@cacheable(QUEUE_SECONDS)
@blp.arguments(HallIn, location="query")
@blp.response(200, QueueOut)
def show_queue(args: dict[str, Any]) -> dict[str, Any]:
    """Show how many wait in a hall and which numbers are called."""
    with transaction() as session:
        return {"at": clock.now(), "zones": queue.live(session, args["hall_id"], clock.today())}


@blp.post("/holds")
@access.citizen(level=LEVEL, limit=HOLDS, acts=Action.SUBMIT)
@run_once
@blp.arguments(HoldIn())
@blp.response(201, AppointmentOut)
def hold(data: dict[str, Any]) -> Appointment:
    """Keep a place for five minutes; an earlier hold of mine is given up."""
    details = _details(data)
    with transaction() as session:
        return service.hold(session, actor=access.citizen_actor(), details=details, **data)


@blp.delete("/holds/<uuid:hold_id>")
@access.citizen(level=LEVEL, acts=Action.SUBMIT)
@blp.response(204)
def give_up_hold(hold_id: UUID) -> None:
    """Give up a place I hold."""
    with transaction() as session:
        service.give_up_hold(session, actor=access.citizen_actor(), hold_id=hold_id)


@blp.post("")
@access.citizen(level=LEVEL, limit=BOOKS, acts=Action.SUBMIT)
@run_once
@blp.arguments(BookIn())
@blp.response(201, AppointmentOut)
def book(data: dict[str, Any]) -> Appointment:
    """Book a slot, or the place I hold."""
    details, hold_id, actor = _details(data), data.pop("hold_id"), access.citizen_actor()
    with transaction() as session:
        if hold_id is not None:
            return service.confirm(session, actor=actor, hold_id=hold_id, details=details)
        return service.book_own(session, actor=actor, details=details, **data)


@blp.get("")
@access.citizen(level=LEVEL, acts=Action.VIEW)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(AppointmentSummaryOut))
def list_appointments(args: dict[str, Any]) -> Page[Appointment]:
    """List my appointments."""
    with transaction() as session:
        return queries.page_of_actor(session, access.citizen_actor(), args)


@blp.get("/<uuid:appointment_id>")
@access.citizen(level=LEVEL, acts=Action.VIEW)
@blp.response(200, AppointmentOut)
def get_appointment(appointment_id: UUID) -> Appointment:
    """Show one of my appointments."""
    with transaction() as session:
        return queries.seen(session, appointment_id, access.citizen_actor())


@blp.post("/<uuid:appointment_id>/cancel")
@access.citizen(level=LEVEL, acts=Action.SUBMIT)
@blp.response(200, AppointmentOut)
def cancel(appointment_id: UUID) -> Appointment:
    """Cancel an appointment; free until two hours before."""
    with transaction() as session:
        return service.cancel(session, actor=access.citizen_actor(), appointment_id=appointment_id)


@blp.post("/<uuid:appointment_id>/change")
@access.citizen(level=LEVEL, limit=BOOKS, acts=Action.SUBMIT)
@run_once
@blp.arguments(ChangeIn())
@blp.response(201, AppointmentOut)
def change(data: dict[str, Any], appointment_id: UUID) -> Appointment:
    """Move an appointment to another slot; the answer is the new appointment."""
    with transaction() as session:
        return service.change(session, actor=access.citizen_actor(), appointment_id=appointment_id, **data)


@blp.get("/<uuid:appointment_id>/qr")
@access.citizen(level=LEVEL, acts=Action.SUBMIT)
@blp.response(200, QrOut)
def show_qr(appointment_id: UUID) -> dict[str, str]:
    """Show the text of the QR code that checks me in."""
    with transaction() as session:
        return {"text": service.qr_text(queries.seen(session, appointment_id, access.citizen_actor()))}


@blp.get("/<uuid:appointment_id>/ticket")
@access.citizen(level=LEVEL, acts=Action.VIEW)
@blp.response(200, TicketOut)
def show_ticket(appointment_id: UUID) -> queue.OwnTicket:
    """Show my number in the queue and how many are ahead of me."""
    with transaction() as session:
        mine = queries.seen(session, appointment_id, access.citizen_actor())
        policy = slots.policy(session, mine.hall_id)
        return queue.of_appointment(session, mine.id, clock.now(), policy)
