"""Halls: where they are, their windows, when they are open. The same for everybody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response
from marshmallow.validate import OneOf, Regexp
from sqlalchemy.orm import Session

from casework.catalogue.rules import SAMPLE_NOTICE
from casework.places import queries
from casework.places.rules import NOTHING_HERE, Cause, Level, WindowKind, WindowState
from core import clock
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import PageIn
from core.web.request_context import language
from miniprogram_api.catalogue import ItemCode
from miniprogram_api.public_answers import kept, made

blp = Blueprint("places", __name__, url_prefix="/api/v1/places", description="办事地点 / Places")

PUBLIC = "addresses and opening hours are public"

_text = ma.fields.String


class HallsIn(PageIn):
    """What narrows the list."""

    region = ma.fields.String(
        load_default=None, validate=Regexp(r"\A[0-9]{6}\Z"), metadata={"description": "330200: the whole city"}
    )
    level = ma.fields.String(load_default=None, validate=OneOf([str(level) for level in Level]))
    item_id = ItemCode(load_default=None, metadata={"description": "Only halls that take this item"})


class HallIn(ma.Schema):
    """What narrows the windows."""

    item_id = ItemCode(load_default=None, metadata={"description": "Only windows that take this item"})


class HallOut(ma.Schema):
    """A hall."""

    id = ma.fields.UUID(required=True)
    code = _text(required=True)
    name = _text(required=True)
    level = ma.fields.String(required=True, validate=OneOf([str(level) for level in Level]))
    region_code = _text(required=True)
    address = _text(required=True)
    consult = _text(required=True)
    is_sample = ma.fields.Boolean(required=True)


class NothingHereOut(ma.Schema):
    """What to do when there is no such place."""

    text = _text(required=True)
    hotline = _text(required=True)


class HallPageOut(ma.Schema):
    """A page of halls; `notice` when some of them are sample data, `nothing_found` when there are none."""

    items = ma.fields.List(ma.fields.Nested(HallOut), required=True)
    next_cursor = _text(allow_none=True, required=True)
    notice = _text(allow_none=True, required=True)
    nothing_found = ma.fields.Nested(NothingHereOut, allow_none=True, required=True)


class WindowOut(ma.Schema):
    """A window; a special one takes only `items`."""

    id = ma.fields.UUID(required=True)
    code = _text(required=True)
    name = _text(required=True)
    kind = ma.fields.String(required=True, validate=OneOf([str(kind) for kind in WindowKind]))
    state = ma.fields.String(required=True, validate=OneOf([str(state) for state in WindowState]))
    items = ma.fields.List(_text(), required=True)


class HallZoneOut(ma.Schema):
    """A zone of the hall and its windows."""

    code = _text(required=True)
    name = _text(required=True)
    area = _text(required=True)
    windows = ma.fields.List(ma.fields.Nested(WindowOut), required=True)


class PeriodOut(ma.Schema):
    """From and to, times of Shanghai."""

    opens = _text(required=True)
    closes = _text(required=True)


class WeekdayOut(ma.Schema):
    """The hours of a weekday (1 = Monday)."""

    weekday = ma.fields.Integer(required=True)
    periods = ma.fields.List(ma.fields.Nested(PeriodOut), required=True)


class OpeningOut(ma.Schema):
    """One day; `reason` when it isn't an ordinary one, `provisional` while no calendar is published for it."""

    day = ma.fields.Date(required=True)
    open = ma.fields.Boolean(required=True)
    periods = ma.fields.List(ma.fields.Nested(PeriodOut), required=True)
    reason = ma.fields.String(allow_none=True, required=True, validate=OneOf([str(cause) for cause in Cause]))
    reason_text = _text(required=True)
    provisional = ma.fields.Boolean(required=True)


class HallDetailOut(HallOut):
    """A hall with zones, windows, hours, today and the next open day.

    Asked for an item: its windows alone, and whether one of them is open; else `takes_item` is null.
    """

    takes_item = ma.fields.Boolean(allow_none=True, required=True)
    zones = ma.fields.List(ma.fields.Nested(HallZoneOut), required=True)
    hours = ma.fields.List(ma.fields.Nested(WeekdayOut), required=True)
    today = ma.fields.Nested(OpeningOut, required=True)
    next_open = ma.fields.Nested(OpeningOut, allow_none=True, required=True)
    notice = _text(allow_none=True, required=True)


def _page(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    page = queries.halls(session, **args)
    nothing = not page.items and args["cursor"] is None
    return {
        "items": [queries.hall_answer(hall) for hall in page.items],
        "next_cursor": page.next_cursor,
        "notice": SAMPLE_NOTICE[language()] if any(hall.is_sample for hall in page.items) else None,
        "nothing_found": nothing_here(language()) if nothing else None,
    }


def nothing_here(spoken: str) -> dict[str, str]:
    """What is said when no place matches."""
    return {"text": NOTHING_HERE[spoken], "hotline": "12345"}


@blp.get("/halls")
@access.public(PUBLIC)
@kept
@blp.arguments(HallsIn, location="query")
@blp.response(200, HallPageOut)
def halls(args: dict[str, Any]) -> Response:
    """List the halls, all of them or those that take an item."""
    return made(lambda session: _page(session, args))


@blp.get("/halls/<uuid:hall_id>")
@access.public(PUBLIC)
@kept
@blp.arguments(HallIn, location="query")
@blp.response(200, HallDetailOut)
def hall(args: dict[str, Any], hall_id: UUID) -> Response:
    """Show a hall: zones, windows (all, or those for an item), hours, whether it is open today and when next."""
    return made(lambda session: queries.hall_detail(session, hall_id, clock.today(), language(), **args))
