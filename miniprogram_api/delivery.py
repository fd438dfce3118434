"""Courier delivery as the citizen asks for it and follows it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from casework.delivery import queries, service
from casework.delivery.models import Shipment
from casework.delivery.rules import LABELS, State
from casework.delivery.tracking import service as tracking
from core.actors import Action
from core.db import transaction
from core.identifiers import normalise_phone
from core.masking import mask_address, mask_name, mask_phone
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.request_context import language
from core.web.schemas import Moment, Text

blp = Blueprint("delivery", __name__, url_prefix="/api/v1/deliveries", description="快递送达 / Delivery")

LEVEL = 3
"""DOMAIN 3.7: courier delivery of results."""


class AddressIn(ma.Schema):
    """Where to (CR-3)."""

    region_code = ma.fields.String(
        required=True, validate=ma.validate.Regexp(r"\A[1-9]\d{5}\Z"), metadata={"description": "GB/T 2260"}
    )
    region = Text(60, required=True, metadata={"description": "Province, city, district, as printed on the label"})
    street = Text(60, required=True)
    detail = Text(120, required=True)


class DeliveryIn(ma.Schema):
    """Send the result of a case to its right-holder in person (CR-2)."""

    case_id = ma.fields.UUID(required=True)
    phone = Text(30, load_default=None, metadata={"description": "If not the verified one"})
    address = ma.fields.Nested(AddressIn, required=True)


class DeliveryStepOut(ma.Schema):
    """A step on the way."""

    at = Moment(required=True)
    state = ma.fields.String(attribute="to_state", required=True)
    state_label = ma.fields.Function(lambda step: LABELS[State(step.to_state)][language() == "en"], required=True)


class DeliverySummaryOut(ma.Schema):
    """A line of the list."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    case_id = ma.fields.UUID(required=True)
    matter_name = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    state_label = ma.fields.Function(lambda found: LABELS[State(found.state)][language() == "en"], required=True)
    waybill = ma.fields.String(required=True, allow_none=True)
    requested_at = Moment(required=True)


class DeliveryOut(DeliverySummaryOut):
    """A delivery with its steps; receiver and address masked."""

    receiver = ma.fields.Function(lambda found: mask_name(found.receiver_name), required=True)
    phone = ma.fields.Function(lambda found: mask_phone(found.receiver_phone), required=True)
    address = ma.fields.Function(
        lambda found: mask_address(found.region + found.address_street + found.address_detail), required=True
    )
    delivered_at = Moment(required=True, allow_none=True)
    history = ma.fields.List(ma.fields.Nested(DeliveryStepOut), required=True)


@blp.post("")
@access.citizen(level=LEVEL, acts=Action.COLLECT)
@run_once
@blp.arguments(DeliveryIn)
@blp.response(201, DeliveryOut)
def request_delivery(data: dict[str, Any]) -> Shipment:
    """Ask for the result by courier."""
    actor = access.citizen_actor()
    phone = normalise_phone(data["phone"]).e164 if data["phone"] else None
    with transaction() as session:
        made = service.request(session, actor=actor, case_id=data["case_id"], phone=phone, address=data["address"])
        session.flush()
        return queries.owned(session, made.id, actor.owner_id)


@blp.get("")
@access.citizen(level=LEVEL, acts=(Action.VIEW, Action.COLLECT))
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(DeliverySummaryOut))
def list_deliveries(args: dict[str, Any]) -> Page[Shipment]:
    """List my deliveries."""
    with transaction() as session:
        return queries.page_of_actor(session, access.citizen_actor(), args)


@blp.get("/<uuid:shipment_id>")
@access.citizen(level=LEVEL, acts=(Action.VIEW, Action.COLLECT))
@blp.response(200, DeliveryOut)
def get_delivery(shipment_id: UUID) -> Shipment:
    """Follow one of my deliveries."""
    with transaction() as session:
        return queries.seen(session, shipment_id, access.citizen_actor())


@blp.post("/<uuid:shipment_id>/address")
@access.citizen(level=LEVEL, acts=Action.COLLECT)
@blp.arguments(AddressIn)
@blp.response(200, DeliveryOut)
def change_address(data: dict[str, Any], shipment_id: UUID) -> Shipment:
    """Send it elsewhere, until the courier is ordered."""
    with transaction() as session:
        return service.change_address(session, actor=access.citizen_actor(), shipment_id=shipment_id, address=data)


@blp.post("/<uuid:shipment_id>/change-to-pickup")
@access.citizen(level=LEVEL, acts=Action.COLLECT)
@blp.response(200, DeliverySummaryOut)
def change_to_pickup(shipment_id: UUID) -> Shipment:
    """Collect at the counter after all, until the parcel is handed over."""
    with transaction() as session:
        return service.change_to_pickup(session, actor=access.citizen_actor(), shipment_id=shipment_id)


@blp.post("/<uuid:shipment_id>/resend-code")
@access.citizen(level=LEVEL, acts=Action.COLLECT)
@blp.response(200, DeliverySummaryOut)
def resend_code(shipment_id: UUID) -> Shipment:
    """Send a new delivery code; the former one ends."""
    with transaction() as session:
        return tracking.resend_code(session, actor=access.citizen_actor(), shipment_id=shipment_id)
