"""What a new version of the item changes in a booking, and taking it over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from casework.appointments import queries
from casework.appointments.models import Appointment
from casework.appointments.versions import service
from casework.prereview.rules import VERSION_CHOICES
from core.actors import Action
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.request_context import language
from core.web.schemas import Text
from miniprogram_api.appointments import LEVEL, AppointmentOut
from miniprogram_api.prereview import ItemDifferenceOut

blp = Blueprint("booking_changes", __name__, url_prefix="/api/v1/appointments", description="预约 / Appointments")


class BookingChangeOut(ma.Schema):
    """ITEM_VERSION_CHANGED and what to do about it, or null and nothing: the booking is up to date."""

    code = ma.fields.String(required=True, allow_none=True)
    version_id = ma.fields.UUID(required=True, allow_none=True)
    effective_from = ma.fields.Date(required=True, allow_none=True)
    difference = ma.fields.List(ma.fields.Nested(ItemDifferenceOut), required=True)
    choices = ma.fields.List(ma.fields.String(), required=True)


class AdoptVersionIn(ma.Schema):
    """The version that was shown; answers where it asks new questions."""

    version_id = ma.fields.UUID(required=True)
    answers = ma.fields.Dict(keys=Text(80), values=Text(80), load_default=None, validate=ma.validate.Length(max=50))


@blp.get("/<uuid:appointment_id>/item-change")
@access.citizen(level=LEVEL, acts=Action.VIEW)
@blp.response(200, BookingChangeOut)
def item_change(appointment_id: UUID) -> dict[str, Any]:
    """Show what the version in force on the day of the visit changes."""
    with transaction() as session:
        found = queries.seen(session, appointment_id, access.citizen_actor())
        change = service.change_of(session, found)
    if change is None:
        return {"code": None, "version_id": None, "effective_from": None, "difference": [], "choices": []}
    return {
        "code": "ITEM_VERSION_CHANGED",
        "version_id": change.item.version_id,
        "effective_from": change.item.effective_from,
        "difference": change.difference.told(language(), to_citizen=True),
        "choices": [step.action for step in VERSION_CHOICES],
    }


@blp.post("/<uuid:appointment_id>/adopt-version")
@access.citizen(level=LEVEL, acts=Action.SUBMIT)
@run_once
@blp.arguments(AdoptVersionIn)
@blp.response(200, AppointmentOut)
def adopt_version(data: dict[str, Any], appointment_id: UUID) -> Appointment:
    """Take over the new version: the papers to bring are made anew."""
    with transaction() as session:
        return service.adopt(session, actor=access.citizen_actor(), appointment_id=appointment_id, **data)
