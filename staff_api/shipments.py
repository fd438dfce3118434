"""Shipments on the clerks' side: pack, seal, hand over, follow up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.staff.roles import FRONT_CLERK
from casework.delivery import queries, service
from casework.delivery.models import Shipment
from casework.delivery.rules import LABELS, Incident, State
from casework.delivery.tracking import service as tracking
from core.db import transaction
from core.masking import mask_name
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment, Text, Whole

blp = Blueprint("staff_shipments", __name__, url_prefix="/staff/v1/shipments", description="寄件 / Shipments (staff)")


class PackedItemIn(ma.Schema):
    """One thing in the pack (CR-6)."""

    name = Text(100, required=True)
    number = Text(100, required=True)
    copies = Whole(1, 100, required=True)


class PackIn(ma.Schema):
    """The pack list."""

    items = ma.fields.List(ma.fields.Nested(PackedItemIn), required=True, validate=ma.validate.Length(1, 20))


class VerifyIn(ma.Schema):
    """What the recipient said on the phone (CR-7)."""

    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A\d{6}\Z"))
    note = Text(200, required=True)


class IncidentIn(ma.Schema):
    """What became of a parcel that didn't arrive (CR-9, CR-10)."""

    outcome = ma.fields.Enum(Incident, by_value=True, required=True)
    note = Text(200, required=True)


class ShipmentQueryIn(PageIn):
    """Filters of the list."""

    state = ma.fields.Enum(State, by_value=True, load_default=None)


class ShipmentOut(ma.Schema):
    """A shipment as clerks see it."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    case_id = ma.fields.UUID(required=True)
    matter_name = ma.fields.String(required=True)
    receiver = ma.fields.Function(lambda found: mask_name(found.receiver_name), required=True)
    region = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    state_label = ma.fields.Function(lambda found: LABELS[State(found.state)][0], required=True)
    waybill = ma.fields.String(required=True, allow_none=True)
    flags = ma.fields.List(ma.fields.String(), required=True)
    requested_at = Moment(required=True)
    delivered_at = Moment(required=True, allow_none=True)


@blp.get("")
@access.staff(FRONT_CLERK)
@blp.arguments(ShipmentQueryIn, location="query")
@blp.response(200, page_out(ShipmentOut))
def list_shipments(args: dict[str, Any]) -> Page[Shipment]:
    """List the shipments of my hall, longest waiting first."""
    with transaction() as session:
        return queries.page_for_staff(session, access.staff_actor(), args)


@blp.post("/<uuid:shipment_id>/confirm")
@access.staff(FRONT_CLERK)
@blp.arguments(PackIn)
@blp.response(200, ShipmentOut)
def confirm(data: dict[str, Any], shipment_id: UUID) -> Shipment:
    """Pack the result: what is in it."""
    with transaction() as session:
        return service.confirm(session, actor=access.staff_actor(), shipment_id=shipment_id, items=data["items"])


@blp.post("/<uuid:shipment_id>/seal")
@access.staff(FRONT_CLERK)
@blp.response(200, ShipmentOut)
def seal(shipment_id: UUID) -> Shipment:
    """Check and seal the pack, as a second person; the courier is ordered."""
    with transaction() as session:
        return service.seal(session, actor=access.staff_actor(), shipment_id=shipment_id)


@blp.post("/<uuid:shipment_id>/hand-over")
@access.staff(FRONT_CLERK)
@blp.response(200, ShipmentOut)
def hand_over(shipment_id: UUID) -> Shipment:
    """Hand the parcel to the courier."""
    with transaction() as session:
        return service.hand_over(session, actor=access.staff_actor(), shipment_id=shipment_id)


@blp.post("/<uuid:shipment_id>/verify-identity")
@access.staff(FRONT_CLERK)
@blp.arguments(VerifyIn)
@blp.response(200, ShipmentOut)
def verify_identity(data: dict[str, Any], shipment_id: UUID) -> Shipment:
    """Follow an unverified signature up with the recipient."""
    actor = access.staff_actor()
    with transaction() as session:
        verification = tracking.verify_identity(session, actor=actor, shipment_id=shipment_id, **data)
    return verification.insist()


@blp.post("/<uuid:shipment_id>/incident")
@access.staff(FRONT_CLERK)
@blp.arguments(IncidentIn)
@blp.response(200, ShipmentOut)
def record_incident(data: dict[str, Any], shipment_id: UUID) -> Shipment:
    """Record that a parcel was lost, damaged, or came back to the counter."""
    with transaction() as session:
        return service.record_incident(session, actor=access.staff_actor(), shipment_id=shipment_id, **data)
