"""A citizen's own items: favourites, and what was looked at lately."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import orjson
from flask import Response
from sqlalchemy.orm import Session

from casework.catalogue.personal import queries, service
from casework.catalogue.redirects import queries as redirects
from casework.catalogue.rules import code
from casework.catalogue.search import queries as search
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import language
from miniprogram_api.catalogue import ItemEntryOut, notice
from miniprogram_api.guides import SuccessorOut

blp = Blueprint("my_items", __name__, url_prefix="/api/v1/my-items", description="我的事项 / My items")


class GoneItemOut(ma.Schema):
    """One that isn't in force: what became of it, in words, and what to take instead."""

    item_id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    in_force_from = ma.fields.Date(allow_none=True, required=True)
    went_to = ma.fields.List(ma.fields.Nested(SuccessorOut), required=True)


class MyItemsOut(ma.Schema):
    """Items that are in force, the latest first, and those that are not (any more); short, and answered whole."""

    items = ma.fields.List(ma.fields.Nested(ItemEntryOut), required=True)
    gone = ma.fields.List(ma.fields.Nested(GoneItemOut), required=True)
    notice = ma.fields.String(allow_none=True, required=True)


def _answer(session: Session, item_ids: list[str]) -> Response:
    today, spoken = clock.today(), language()
    entries = search.entries(session, item_ids, today, spoken)
    shown = {entry.item_id for entry in entries}
    missing = [item_id for item_id in item_ids if item_id not in shown]
    body: dict[str, Any] = {
        "items": [entry.answer for entry in entries],
        "gone": [one.answer(spoken) for one in redirects.gone(session, missing, today)] if missing else [],
        "notice": notice(entries, spoken),
    }
    return Response(orjson.dumps(body), content_type="application/json")


@blp.get("/favourites")
@access.citizen()
@blp.response(200, MyItemsOut)
def favourites() -> Response:
    """List my favourite items."""
    with transaction() as session:
        return _answer(session, queries.favourites(session, access.citizen_actor().subject_id))


@blp.put("/favourites/<item_id>")
@access.citizen()
@blp.response(204)
def keep(item_id: str) -> None:
    """Make an item one of my favourites."""
    with transaction() as session:
        service.keep(session, subject_id=access.citizen_actor().subject_id, item_id=code(item_id))


@blp.delete("/favourites/<item_id>")
@access.citizen()
@blp.response(204)
def drop(item_id: str) -> None:
    """Take an item off my favourites."""
    with transaction() as session:
        service.drop(session, subject_id=access.citizen_actor().subject_id, item_id=code(item_id))


@blp.get("/seen")
@access.citizen()
@blp.response(200, MyItemsOut)
def seen() -> Response:
    """List the items I looked at lately."""
    with transaction() as session:
        return _answer(session, queries.seen_lately(session, access.citizen_actor().subject_id))


@blp.put("/seen/<item_id>")
@access.citizen()
@blp.response(204)
def note_seen(item_id: str) -> None:
    """Note that I looked at an item."""
    with transaction() as session:
        service.note_seen(session, subject_id=access.citizen_actor().subject_id, item_id=code(item_id))


@blp.delete("/seen")
@access.citizen()
@blp.response(204)
def forget_seen() -> None:
    """Forget which items I looked at."""
    with transaction() as session:
        service.forget_seen(session, subject_id=access.citizen_actor().subject_id)
