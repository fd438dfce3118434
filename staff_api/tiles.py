"""Where tiles lead, which hosts plain ones may lead to, which clients use tickets, and how often tiles are opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import marshmallow as ma

from auth.staff.roles import SUPERVISOR, SYSTEM_ADMIN
from auth.tickets import service as tickets
from casework.tiles import queries, service
from casework.tiles.models import LinkHost
from casework.tiles.rules import Kind
from casework.tiles.service import Target
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.schemas import Moment, Text, Whole

blp = Blueprint("staff_tiles", __name__, url_prefix="/staff/v1/tiles", description="应用服务 / Tiles (staff)")


class TargetIn(ma.Schema):
    """Where a tile leads. `client_id` for OIDC and BRIDGE, `address` for PLAIN and BRIDGE; a closed one says why."""

    kind = ma.fields.Enum(Kind, by_value=True, required=True)
    client_id = Text(64, load_default=None)
    address = Text(1000, load_default=None)
    min_level = Whole(1, 3, load_default=1)
    open = ma.fields.Boolean(load_default=True)
    closed_zh = Text(200, shortest=0, load_default="")
    closed_en = Text(200, shortest=0, load_default="")


class LinkHostIn(ma.Schema):
    """A host, and why it is on the list."""

    host = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z"))
    note = Text(200, required=True)


class LinkHostOut(ma.Schema):
    """A host on the list."""

    host = ma.fields.String(required=True)
    note = ma.fields.String(required=True)
    added_at = Moment(required=True)


class LinkHostsOut(ma.Schema):
    """The whole list."""

    items = ma.fields.List(ma.fields.Nested(LinkHostOut), required=True)


class BridgeIn(ma.Schema):
    """The addresses that a person with a ticket may be sent to; one that ends in a slash allows what is below it."""

    addresses = ma.fields.List(Text(1000), required=True, validate=ma.validate.Length(1, 20))
    active = ma.fields.Boolean(load_default=True)


class LaunchesQueryIn(ma.Schema):
    """The days to count, at most a year."""

    days = Whole(1, 366, strict=False, load_default=30)


class LaunchCountOut(ma.Schema):
    """How often a tile was opened through a channel."""

    tile_id = ma.fields.String(required=True)
    channel = ma.fields.String(required=True)
    launches = ma.fields.Integer(required=True)


class LaunchCountsOut(ma.Schema):
    """The counts, by tile and channel."""

    items = ma.fields.List(ma.fields.Nested(LaunchCountOut), required=True)


@blp.put("/<tile_id>/target")
@access.staff(SYSTEM_ADMIN)
@blp.arguments(TargetIn)
@blp.response(204)
def set_target(data: dict[str, Any], tile_id: str) -> None:
    """Say where a tile leads, or close it."""
    with transaction() as session:
        service.set_target(session, actor=access.staff_actor(), tile_id=tile_id, target=Target(**data))


@blp.get("/hosts")
@access.staff(SYSTEM_ADMIN)
@blp.response(200, LinkHostsOut)
def hosts() -> dict[str, Sequence[LinkHost]]:
    """List the hosts that plain tiles may lead to."""
    with transaction() as session:
        return {"items": queries.hosts(session)}


@blp.put("/hosts")
@access.staff(SYSTEM_ADMIN)
@blp.arguments(LinkHostIn)
@blp.response(204)
def add_host(data: dict[str, Any]) -> None:
    """Put a host on the list."""
    with transaction() as session:
        service.add_host(session, actor=access.staff_actor(), **data)


@blp.delete("/hosts/<host>")
@access.staff(SYSTEM_ADMIN)
@blp.response(204)
def remove_host(host: str) -> None:
    """Take a host off the list."""
    with transaction() as session:
        service.remove_host(session, actor=access.staff_actor(), host=host)


@blp.put("/bridges/<client_id>")
@access.staff(SYSTEM_ADMIN)
@blp.arguments(BridgeIn)
@blp.response(204)
def allow_bridge(data: dict[str, Any], client_id: str) -> None:
    """Let a client use tickets."""
    with transaction() as session:
        tickets.allow(session, actor=access.staff_actor(), client_id=client_id, **data)


@blp.get("/launches")
@access.staff(SYSTEM_ADMIN, SUPERVISOR)
@blp.arguments(LaunchesQueryIn, location="query")
@blp.response(200, LaunchCountsOut)
def launches(args: dict[str, Any]) -> dict[str, Sequence[dict[str, Any]]]:
    """Count how often tiles were opened."""
    today = clock.today()
    with transaction() as session:
        return {"items": queries.launches(session, today - timedelta(days=args["days"] - 1), today)}
