"""What people look for in vain, for those who keep the catalogue and its words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import marshmallow as ma

from auth.staff.roles import ITEM_MANAGER, SYSTEM_ADMIN
from casework.catalogue.search.misses import queries
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint

blp = Blueprint("staff_search", __name__, url_prefix="/staff/v1/search", description="搜索分析 / Search")


class MissesIn(ma.Schema):
    """How far back to look, and how many to list."""

    days = ma.fields.Integer(load_default=7, validate=ma.validate.Range(1, 90))
    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 200))


class MissOut(ma.Schema):
    """A text that found nothing; an answer that is kept for half a minute counts once."""

    text = ma.fields.String(required=True)
    times = ma.fields.Integer(required=True)
    last_day = ma.fields.Date(required=True)


class MissListOut(ma.Schema):
    """The most frequent first."""

    items = ma.fields.List(ma.fields.Nested(MissOut), required=True)


@blp.get("/misses")
@access.staff(ITEM_MANAGER, SYSTEM_ADMIN)
@blp.arguments(MissesIn, location="query")
@blp.response(200, MissListOut)
def misses(args: dict[str, Any]) -> dict[str, Any]:
    """List what people looked for and didn't find."""
    since = clock.today() - timedelta(days=args["days"] - 1)
    with transaction() as session:
        return {"items": queries.most_missed(session, since=since, limit=args["limit"])}
