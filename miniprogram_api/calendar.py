"""The working calendar of a year: holidays, make-up working days and special closures. The same for everybody."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from casework.calendars import queries
from core import clock
from core.web import access
from core.web.blueprint import Blueprint
from core.web.schemas import Whole
from miniprogram_api.public_answers import kept, made

blp = Blueprint("calendar", __name__, url_prefix="/api/v1/calendar", description="工作日历 / Calendar")

PUBLIC = "which days are working days is public"


class YearIn(ma.Schema):
    """Which year; this one when not said."""

    year = Whole(2000, 2100, strict=False, load_default=lambda: clock.today().year)


class SpecialDayOut(ma.Schema):
    """A day that doesn't simply follow the week, and the version that set it."""

    day = ma.fields.Date(required=True)
    is_workday = ma.fields.Boolean(required=True)
    name = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)


class YearVersionOut(ma.Schema):
    """A publication that days of the year rest on; `source` is the notice."""

    number = ma.fields.Integer(required=True)
    source = ma.fields.String(required=True)
    published_at = ma.fields.String(required=True)


class CalendarYearOut(ma.Schema):
    """A year. Days that aren't listed follow the week: Monday to Friday are working days.

    `published` is false while the year's holidays aren't known: dates in it are provisional then.
    """

    year = ma.fields.Integer(required=True)
    published = ma.fields.Boolean(required=True)
    version = ma.fields.Integer(required=True, allow_none=True)
    versions = ma.fields.List(ma.fields.Nested(YearVersionOut), required=True)
    days = ma.fields.List(ma.fields.Nested(SpecialDayOut), required=True)


@blp.get("")
@access.public(PUBLIC)
@kept
@blp.arguments(YearIn, location="query")
@blp.response(200, CalendarYearOut)
def year(args: dict[str, Any]) -> Response:
    """Show the holidays, make-up working days and closures of a year, with the notices they rest on."""
    return made(lambda session: queries.year_answer(session, args["year"]))
