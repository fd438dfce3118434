"""Reference lists beside the catalogue: zones, departments, regions, development zones, topics, packages, tiles.

They are short and answered whole.
"""

from __future__ import annotations

import marshmallow as ma
from flask import Response

from casework.catalogue.lookups import queries
from core import clock
from core.web import access
from core.web.blueprint import Blueprint
from miniprogram_api.catalogue import PUBLIC
from miniprogram_api.public_answers import kept, made

blp = Blueprint("lookups", __name__, url_prefix="/api/v1/catalogue", description="目录字典 / Reference lists")

_text = ma.fields.String


class ZoneOut(ma.Schema):
    """A zone; `items`: how many are in force; `hot`: of these can be booked and sent home."""

    code = _text(required=True)
    name = _text(required=True)
    items = ma.fields.Integer(required=True)
    hot = ma.fields.Integer(required=True)


class DepartmentOut(ma.Schema):
    """A department; `items`: how many are in force; `hot`: of these can be booked and sent home."""

    id = _text(required=True)
    name = _text(required=True)
    name_2017 = _text(required=True)
    items = ma.fields.Integer(required=True)
    hot = ma.fields.Integer(required=True)


class RegionOut(ma.Schema):
    """A district or county."""

    code = _text(required=True)
    name = _text(required=True)
    kind = _text(required=True)


class DevZoneOut(ma.Schema):
    """A development zone, by its name of 2017 and what became of it."""

    code = _text(required=True)
    name_2017 = _text(required=True)
    name_now = _text(required=True)
    confidence = _text(required=True)
    note = _text(required=True)


class TopicOut(ma.Schema):
    """An industry with a joint approval; days where the source gives them."""

    key = _text(required=True)
    name = _text(required=True)
    lead_department_id = _text(required=True)
    participants = ma.fields.List(_text(), required=True)
    before_days = ma.fields.Integer(allow_none=True, required=True)
    after_days = ma.fields.Integer(allow_none=True, required=True)
    items = ma.fields.List(_text(), required=True)


class PackageOut(ma.Schema):
    """Items that are done as one thing."""

    key = _text(required=True)
    name = _text(required=True)
    items = ma.fields.List(_text(), required=True)


class TileOut(ma.Schema):
    """A tile that opens another system."""

    id = _text(required=True)
    group = _text(required=True)
    name = _text(required=True)
    department_id = _text(required=True)


def _whole(row: type[ma.Schema]) -> type[ma.Schema]:
    name = row.__name__.removesuffix("Out") + "ListOut"
    return type(name, (ma.Schema,), {"items": ma.fields.List(ma.fields.Nested(row), required=True)})


ZoneListOut = _whole(ZoneOut)
DepartmentListOut = _whole(DepartmentOut)
RegionListOut = _whole(RegionOut)
DevZoneListOut = _whole(DevZoneOut)
TopicListOut = _whole(TopicOut)
PackageListOut = _whole(PackageOut)
TileListOut = _whole(TileOut)


@blp.get("/zones")
@access.public(PUBLIC)
@kept
@blp.response(200, ZoneListOut)
def zones() -> Response:
    """List the zones of the halls."""
    return made(lambda session: {"items": queries.zones(session, clock.today())})


@blp.get("/departments")
@access.public(PUBLIC)
@kept
@blp.response(200, DepartmentListOut)
def departments() -> Response:
    """List the departments."""
    return made(lambda session: {"items": queries.departments(session, clock.today())})


@blp.get("/regions")
@access.public(PUBLIC)
@kept
@blp.response(200, RegionListOut)
def regions() -> Response:
    """List the districts and counties."""
    return made(lambda session: {"items": queries.regions(session)})


@blp.get("/dev-zones")
@access.public(PUBLIC)
@kept
@blp.response(200, DevZoneListOut)
def dev_zones() -> Response:
    """List the development zones."""
    return made(lambda session: {"items": queries.dev_zones(session)})


@blp.get("/topics")
@access.public(PUBLIC)
@kept
@blp.response(200, TopicListOut)
def topics() -> Response:
    """List the industries with a joint approval."""
    return made(lambda session: {"items": queries.topics(session, clock.today())})


@blp.get("/packages")
@access.public(PUBLIC)
@kept
@blp.response(200, PackageListOut)
def packages() -> Response:
    """List what is done together as one thing."""
    return made(lambda session: {"items": queries.packages(session, clock.today())})


@blp.get("/tiles")
@access.public(PUBLIC)
@kept
@blp.response(200, TileListOut)
def tiles() -> Response:
    """List the tiles of other systems."""
    return made(lambda session: {"items": queries.tiles(session)})
