"""App tiles: what other departments offer, opened signed in (S38)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import marshmallow as ma

from auth.oidc.consents.rules import Field
from casework.tiles import queries, service
from casework.tiles.queries import Tile
from casework.tiles.rules import Kind
from casework.tiles.service import Launch
from core.db import transaction
from core.limits import Limit
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import language
from core.web.schemas import Code, Moment

blp = Blueprint("tiles", __name__, url_prefix="/api/v1/tiles", description="应用服务 / Tiles")

LAUNCHES = Limit("tile-launches", 60, 60)


class OpenTileOut(ma.Schema):
    """A tile; `reason` says why a closed one is."""

    id = ma.fields.String(required=True)
    group = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    department_id = ma.fields.String(required=True)
    open = ma.fields.Boolean(required=True)
    min_level = ma.fields.Integer(required=True)
    signs_in = ma.fields.Boolean(required=True)
    reason = ma.fields.Function(lambda one: one.reason and one.reason[language() == "en"], required=True)


class OpenTilesOut(ma.Schema):
    """All tiles."""

    items = ma.fields.List(ma.fields.Nested(OpenTileOut), required=True)


class LaunchIn(ma.Schema):
    """The fields that the person has just agreed to show, as CONSENT_REQUIRED named them."""

    agreed = ma.fields.List(ma.fields.Enum(Field, by_value=True), load_default=[], validate=ma.validate.Length(max=10))


class LaunchOut(ma.Schema):
    """The address to open at once; a ticket in it is good once, until `expires_at`."""

    kind = Code(Kind, required=True)
    address = ma.fields.String(required=True)
    expires_at = Moment(required=True, allow_none=True)


@blp.get("")
@access.public("what there is can be seen before signing in")
@blp.response(200, OpenTilesOut)
def tiles() -> dict[str, Sequence[Tile]]:
    """List the tiles, and whether each is open."""
    with transaction() as session:
        return {"items": queries.tiles(session)}


@blp.post("/<tile_id>/launch")
@access.citizen(level=1, limit=LAUNCHES)
@blp.arguments(LaunchIn)
@blp.response(200, LaunchOut)
def launch(data: dict[str, Any], tile_id: str) -> Launch:
    """Open a tile, signed in."""
    with transaction() as session:
        return service.launch(session, actor=access.citizen_actor(), tile_id=tile_id, agreed=data["agreed"])
