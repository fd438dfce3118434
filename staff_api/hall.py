"""The hall's desk and its manager: check-in, bookings by phone, hours of a day, slot plans, the numbers it books by."""

from __future__ import annotations

from dataclasses import asdict
from datetime import time
from typing import Any

import marshmallow as ma

from auth.staff.roles import FRONT_CLERK, HALL_MANAGER, HOTLINE_OFFICER
from casework.appointments import service as appointments
from casework.appointments.drafts.service import Details
from casework.appointments.models import Appointment
from casework.appointments.rules import Need, State
from casework.places.ports import Closing, TimeOfDay
from casework.queue import service as queue
from casework.queue.models import Ticket
from casework.slots import queries as slots
from casework.slots import service as slot_service
from core.db import transaction
from core.identifiers import DocumentType, normalise_document
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.schemas import Code, Moment, Text, Whole
from staff_api.queue import StaffTicketOut

blp = Blueprint("staff_hall", __name__, url_prefix="/staff/v1/hall", description="大厅 / Hall (staff)")

_QR_LENGTH = 200


class CheckInIn(ma.Schema):
    """One way to say whose booking it is: the QR code, the number, or the card in the clerk's hand."""

    qr_token = Text(_QR_LENGTH, load_default=None)
    number = Text(30, load_default=None)
    document_type = ma.fields.Enum(DocumentType, by_value=True, load_default=None)
    document_number = Text(40, load_default=None)

    @ma.validates_schema
    def _one_way(self, data: dict[str, Any], **_: Any) -> None:
        if (data["document_type"] is None) != (data["document_number"] is None):
            raise ma.ValidationError("证件类型和号码须同时填写 / type and number go together", "document_number")
        if sum(data[name] is not None for name in ("qr_token", "number", "document_type")) != 1:
            raise ma.ValidationError("请用一种方式签到 / give exactly one of the three", "qr_token")


class PeriodIn(ma.Schema):
    """From and to, times of Shanghai; the end of the day is "24:00"."""

    opens = TimeOfDay(required=True)
    closes = Closing(required=True)

    @ma.post_load
    def _pair(self, data: dict[str, time], **_: Any) -> tuple[time, time]:
        return data["opens"], data["closes"]


def _periods(**options: Any) -> ma.fields.Field[Any]:
    return ma.fields.List(ma.fields.Nested(PeriodIn), validate=ma.validate.Length(max=6), **options)


class ClosureIn(ma.Schema):
    """How the hall is open on one day, or on every day up to `until`; without periods it is closed."""

    day = ma.fields.Date(required=True)
    until = ma.fields.Date(load_default=None, allow_none=True)
    periods = _periods(load_default=list)
    reason = Text(200, required=True)
    reason_en = Text(200, load_default="", shortest=0)


class PlanIn(ma.Schema):
    """What a zone does on a weekday (1 = Monday). Null: as the hall is open, all its windows, as the policy says (AP-1)."""

    zone_code = Text(10, required=True)
    weekday = Whole(1, 7, required=True)
    periods = _periods(load_default=None, allow_none=True)
    windows = Whole(0, 500, load_default=None, allow_none=True)
    slot_minutes = Whole(5, 240, load_default=None, allow_none=True)
    booking_percent = Whole(0, 100, load_default=None, allow_none=True)


class PlanPeriodOut(ma.Schema):
    """From and to, times of Shanghai."""

    opens = ma.fields.String(required=True)
    closes = ma.fields.String(required=True)


class PlanOut(ma.Schema):
    """What was said of a zone on a weekday; null: as for all (AP-1)."""

    zone_code = ma.fields.String(required=True)
    weekday = ma.fields.Integer(required=True)
    periods = ma.fields.List(ma.fields.Nested(PlanPeriodOut), required=True, allow_none=True)
    windows = ma.fields.Integer(required=True, allow_none=True)
    slot_minutes = ma.fields.Integer(required=True, allow_none=True)
    booking_percent = ma.fields.Integer(required=True, allow_none=True)


class PlansOut(ma.Schema):
    """All plans of the hall, by zone and weekday."""

    items = ma.fields.List(ma.fields.Nested(PlanOut), required=True)


class PolicyIn(ma.Schema):
    """The numbers this hall changes; all others are as for every hall. Times as "HH:MM"."""

    overrides = ma.fields.Dict(keys=Text(40), required=True, validate=ma.validate.Length(max=50))


class PolicyOut(ma.Schema):
    """All numbers this hall books by (DOMAIN 3.2)."""

    policy = ma.fields.Dict(required=True)


class CallerIn(ma.Schema):
    """The person who called the hotline."""

    document_type = ma.fields.Enum(DocumentType, by_value=True, required=True)
    document_number = Text(40, required=True)


class BookForIn(CallerIn):
    """Book for somebody who called (AP-6)."""

    name = Text(100, required=True)
    phone = Text(30, load_default=None)
    slot_id = ma.fields.UUID(required=True)
    item_id = Text(40, required=True)
    needs = ma.fields.List(
        ma.fields.Enum(Need, by_value=True), load_default=list, validate=ma.validate.Length(max=len(Need))
    )


class CancelForIn(CallerIn):
    """Cancel for somebody who called."""

    number = Text(30, required=True)


class StaffAppointmentOut(ma.Schema):
    """A booking as the hotline reads it out; it names nobody."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    item_name = ma.fields.String(required=True)
    hall_name = ma.fields.String(required=True)
    zone_code = ma.fields.String(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    state = Code(State, required=True)
    papers = ma.fields.List(ma.fields.String(), required=True)


@blp.post("/check-in")
@access.staff(FRONT_CLERK, HALL_MANAGER)
@run_once
@blp.arguments(CheckInIn)
@blp.response(201, StaffTicketOut)
def check_in(data: dict[str, Any]) -> Ticket:
    """Check somebody in and give them a number in the queue."""
    kind, number = data.pop("document_type"), data.pop("document_number")
    document = normalise_document(kind, number) if kind else None
    with transaction() as session:
        return queue.check_in(
            session, actor=access.staff_actor(), qr_text=data["qr_token"], number=data["number"], document=document
        )


@blp.post("/closures")
@access.staff(HALL_MANAGER)
@blp.arguments(ClosureIn)
@blp.response(204)
def close(data: dict[str, Any]) -> None:
    """Close my hall on a day or on days, or open it at other hours; whoever had booked is told at once."""
    with transaction() as session:
        slot_service.set_hours(session, actor=access.staff_actor(), **data | {"periods": tuple(data["periods"])})


@blp.put("/plans")
@access.staff(HALL_MANAGER)
@blp.arguments(PlanIn)
@blp.response(204)
def set_plan(data: dict[str, Any]) -> None:
    """Say what a zone of my hall does on a weekday."""
    periods = None if data["periods"] is None else tuple(data["periods"])
    with transaction() as session:
        slot_service.set_plan(session, actor=access.staff_actor(), **data | {"periods": periods})


@blp.get("/plans")
@access.staff(HALL_MANAGER)
@blp.response(200, PlansOut)
def get_plans() -> dict[str, Any]:
    """List what the zones of my hall do on weekdays, where that was said."""
    with transaction() as session:
        return {"items": slots.plans(session, slot_service.hall_of(access.staff_actor()))}


@blp.get("/policy")
@access.staff(HALL_MANAGER)
@blp.response(200, PolicyOut)
def get_policy() -> dict[str, Any]:
    """Show the numbers my hall books by."""
    with transaction() as session:
        return {"policy": asdict(slots.policy(session, slot_service.hall_of(access.staff_actor())))}


@blp.put("/policy")
@access.staff(HALL_MANAGER)
@blp.arguments(PolicyIn)
@blp.response(200, PolicyOut)
def set_policy(data: dict[str, Any]) -> dict[str, Any]:
    """Change the numbers my hall books by."""
    with transaction() as session:
        return {"policy": asdict(slot_service.set_policy(session, actor=access.staff_actor(), **data))}


@blp.post("/appointments")
@access.staff(HOTLINE_OFFICER)
@run_once
@blp.arguments(BookForIn)
@blp.response(201, StaffAppointmentOut)
def book_for(data: dict[str, Any]) -> Appointment:
    """Book for somebody who called the hotline."""
    document = normalise_document(data.pop("document_type"), data.pop("document_number"))
    details = Details(needs=data.pop("needs"))
    with transaction() as session:
        return appointments.book_by_phone(
            session, actor=access.staff_actor(), document=document, details=details, **data
        )


@blp.post("/appointments/cancel")
@access.staff(HOTLINE_OFFICER)
@blp.arguments(CancelForIn)
@blp.response(200, StaffAppointmentOut)
def cancel_for(data: dict[str, Any]) -> Appointment:
    """Cancel for somebody who called the hotline."""
    document = normalise_document(data["document_type"], data["document_number"])
    with transaction() as session:
        return appointments.cancel_by_phone(
            session, actor=access.staff_actor(), number=data["number"], document=document
        )
