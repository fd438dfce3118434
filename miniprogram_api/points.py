"""Service points near somebody. Where they ask from is neither stored nor logged, nor are such answers kept (P-1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson
from flask import Response
from marshmallow.validate import OneOf, Range

from casework.catalogue.rules import SAMPLE_NOTICE
from casework.places.points import queries, rules
from casework.places.points.queries import Wanted
from casework.places.points.rules import Datum, Kind
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import PageIn
from core.web.request_context import language
from core.web.schemas import Whole
from miniprogram_api.catalogue import ItemCode
from miniprogram_api.places import PUBLIC, NothingHereOut, OpeningOut, WeekdayOut, nothing_here
from miniprogram_api.public_answers import kept, made

blp = Blueprint("points", __name__, url_prefix="/api/v1/places", description="服务点 / Service points near me")

_FURTHEST = 100_000
_text = ma.fields.String
_DATUM = "GCJ-02"


class NearIn(PageIn):
    """Where somebody is, and what they look for."""

    lat = ma.fields.Float(required=True, validate=Range(-90, 90), metadata={"description": "Degrees"})
    lng = ma.fields.Float(required=True, validate=Range(-180, 180), metadata={"description": "Degrees"})
    datum = ma.fields.Enum(
        Datum,
        by_value=True,
        load_default=Datum.WGS84,
        metadata={"description": "What lat and lng are measured in: as a phone gives them, or as a map does"},
    )
    item_id = ItemCode(load_default=None, metadata={"description": "Only points that take this item"})
    open_now = ma.fields.Boolean(load_default=False)
    kind = ma.fields.Enum(Kind, by_value=True, load_default=None)
    radius = Whole(1, _FURTHEST, strict=False, load_default=None, metadata={"description": "Metres"})


class PointOut(ma.Schema):
    """A point; its coordinates are GCJ-02. `accessible` is null when it isn't known; `hall_id` when it is no hall."""

    id = ma.fields.UUID(required=True)
    code = _text(required=True)
    name = _text(required=True)
    kind = ma.fields.String(required=True, validate=OneOf([str(kind) for kind in Kind]))
    hall_id = ma.fields.UUID(required=True, allow_none=True)
    region_code = _text(required=True)
    address = _text(required=True)
    consult = _text(required=True)
    accessible = ma.fields.Boolean(required=True, allow_none=True)
    latitude = ma.fields.Float(required=True)
    longitude = ma.fields.Float(required=True)
    is_sample = ma.fields.Boolean(required=True)


class NearPointOut(PointOut):
    """A point, how many metres away it is as the crow flies, and whether it is open."""

    distance_m = ma.fields.Integer(required=True)
    open_now = ma.fields.Boolean(required=True)
    today = ma.fields.Nested(OpeningOut, required=True)


class NearPageOut(ma.Schema):
    """A page of points, the nearest first; `notice` when some of them are sample data, `nothing_found` when there are none."""

    items = ma.fields.List(ma.fields.Nested(NearPointOut), required=True)
    next_cursor = _text(allow_none=True, required=True)
    coordinate_system = ma.fields.String(required=True, validate=OneOf([_DATUM]))
    notice = _text(allow_none=True, required=True)
    nothing_found = ma.fields.Nested(NothingHereOut, allow_none=True, required=True)


class PointDetailOut(PointOut):
    """A point with its hours, today, the next open day, and the zones and items it takes (a hall's are in the hall)."""

    coordinate_system = ma.fields.String(required=True, validate=OneOf([_DATUM]))
    hours = ma.fields.List(ma.fields.Nested(WeekdayOut), required=True)
    open_on_rest_days = ma.fields.Boolean(required=True)
    today = ma.fields.Nested(OpeningOut, required=True)
    next_open = ma.fields.Nested(OpeningOut, allow_none=True, required=True)
    zones = ma.fields.List(_text(), required=True)
    items = ma.fields.List(_text(), required=True)


def _near(args: dict[str, Any]) -> Response:
    at = rules.gcj02(args["lat"], args["lng"], args["datum"])
    wanted = Wanted(args["radius"], args["kind"], args["open_now"], args["item_id"])
    spoken = language()
    with transaction() as session:
        page = queries.near(session, at, wanted, clock.now(), cursor=args["cursor"], limit=args["limit"])
    nothing = not page.items and args["cursor"] is None
    answer = {
        "items": [queries.near_answer(found, spoken) for found in page.items],
        "next_cursor": page.next_cursor,
        "coordinate_system": _DATUM,
        "notice": SAMPLE_NOTICE[spoken] if any(found.point.answer["is_sample"] for found in page.items) else None,
        "nothing_found": nothing_here(spoken) if nothing else None,
    }
    return Response(
        orjson.dumps(answer), content_type="application/json", headers={"Cache-Control": "private, no-store"}
    )


@blp.get("/near")
@access.public(PUBLIC)
@blp.arguments(NearIn, location="query")
@blp.response(200, NearPageOut)
def near(args: dict[str, Any]) -> Response:
    """List the halls, counters and machines near a position, the nearest first."""
    return _near(args)


@blp.get("/points/<uuid:point_id>")
@access.public(PUBLIC)
@kept
@blp.response(200, PointDetailOut)
def point(point_id: UUID) -> Response:
    """Show a service point: hours, whether it is open today and when next, what it takes."""
    return made(lambda session: queries.point_detail(session, point_id, clock.today(), language()))
