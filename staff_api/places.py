"""The hall manager's desk: hours of the week, closures, windows and which items they take."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.staff.roles import HALL_MANAGER
from casework.halls import service
from casework.places.managing import queries
from casework.places.rules import WindowKind, WindowState
from casework.slots import service as slots
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import language
from core.web.schemas import Code, Text, Whole
from staff_api.hall import ClosureIn, PeriodIn

blp = Blueprint("staff_places", __name__, url_prefix="/staff/v1/places", description="大厅管理 / Hall managers (staff)")

_MOST_EDITS = 2**31 - 1


class WeekdayIn(ma.Schema):
    """The hours of a weekday (1 = Monday)."""

    weekday = Whole(1, 7, required=True)
    periods = ma.fields.List(ma.fields.Nested(PeriodIn), required=True, validate=ma.validate.Length(1, 6))


class WeekIn(ma.Schema):
    """All the hours of the week, and the number of the hall as it was read; weekdays left out are closed."""

    edit = Whole(1, _MOST_EDITS, required=True)
    hours = ma.fields.List(ma.fields.Nested(WeekdayIn), required=True, validate=ma.validate.Length(max=7))

    @ma.validates_schema
    def _once(self, data: dict[str, Any], **_: Any) -> None:
        if len({day["weekday"] for day in data["hours"]}) < len(data["hours"]):
            raise ma.ValidationError("星期重复 / a weekday is there twice", "hours")


class WindowIn(ma.Schema):
    """How a window serves, and its number as it was read; a special one lists its items."""

    edit = Whole(1, _MOST_EDITS, required=True)
    state = ma.fields.Enum(WindowState, by_value=True, required=True)
    kind = ma.fields.Enum(WindowKind, by_value=True, required=True)
    items = ma.fields.List(Text(64), load_default=list, validate=ma.validate.Length(max=500))


class ReopenIn(ma.Schema):
    """The day, or the days up to `until`, on which the week and the calendar shall hold again."""

    day = ma.fields.Date(required=True)
    until = ma.fields.Date(load_default=None, allow_none=True)


class HallPeriodOut(ma.Schema):
    """From and to, times of Shanghai."""

    opens = ma.fields.String(required=True)
    closes = ma.fields.String(required=True)


class HallWeekdayOut(ma.Schema):
    """The hours of a weekday (1 = Monday)."""

    weekday = ma.fields.Integer(required=True)
    periods = ma.fields.List(ma.fields.Nested(HallPeriodOut), required=True)


class HallWindowOut(ma.Schema):
    """A window, and the number to change it by."""

    id = ma.fields.UUID(required=True)
    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    kind = Code(WindowKind, required=True)
    state = Code(WindowState, required=True)
    items = ma.fields.List(ma.fields.String(), required=True)
    edit = ma.fields.Integer(required=True)


class HallZoneWindowsOut(ma.Schema):
    """A zone of the hall and its windows."""

    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    area = ma.fields.String(required=True)
    windows = ma.fields.List(ma.fields.Nested(HallWindowOut), required=True)


class HallExceptionOut(ma.Schema):
    """How the hall is open on one day; without periods it is closed."""

    day = ma.fields.String(required=True)
    periods = ma.fields.List(ma.fields.Nested(HallPeriodOut), required=True)
    reason = ma.fields.String(required=True)
    reason_en = ma.fields.String(required=True)


class HallDeskOut(ma.Schema):
    """My hall, with the numbers to change it by."""

    id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    edit = ma.fields.Integer(required=True)
    hours = ma.fields.List(ma.fields.Nested(HallWeekdayOut), required=True)
    zones = ma.fields.List(ma.fields.Nested(HallZoneWindowsOut), required=True)
    exceptions = ma.fields.List(ma.fields.Nested(HallExceptionOut), required=True)


class ClosureEffectOut(ma.Schema):
    """What it would do to whoever has booked (AP-15)."""

    booked = ma.fields.Integer(required=True)
    cancelled = ma.fields.Integer(required=True)
    text = ma.fields.String(required=True)


def _desk(session: Any) -> dict[str, Any]:
    return queries.desk(session, slots.hall_of(access.staff_actor()), clock.today(), language())


@blp.get("/hall")
@access.staff(HALL_MANAGER)
@blp.response(200, HallDeskOut)
def desk() -> dict[str, Any]:
    """Show my hall: hours, windows, closures."""
    with transaction() as session:
        return _desk(session)


@blp.put("/hall/hours")
@access.staff(HALL_MANAGER)
@blp.arguments(WeekIn)
@blp.response(200, HallDeskOut)
def set_week(data: dict[str, Any]) -> dict[str, Any]:
    """Set the hours of my hall's week; the bookable days ahead are made afresh."""
    week = {day["weekday"]: day["periods"] for day in data["hours"]}
    with transaction() as session:
        service.set_week(session, actor=access.staff_actor(), edit=data["edit"], week=week)
        return _desk(session)


@blp.put("/hall/windows/<uuid:window_id>")
@access.staff(HALL_MANAGER)
@blp.arguments(WindowIn)
@blp.response(200, HallDeskOut)
def set_window(data: dict[str, Any], window_id: UUID) -> dict[str, Any]:
    """Open, pause or close a window of my hall and say what it takes."""
    with transaction() as session:
        service.set_window(session, actor=access.staff_actor(), window_id=window_id, **data)
        return _desk(session)


@blp.post("/closures/preview")
@access.staff(HALL_MANAGER)
@blp.arguments(ClosureIn)
@blp.response(200, ClosureEffectOut)
def preview(data: dict[str, Any]) -> dict[str, Any]:
    """Say what other hours on a day would do to whoever has booked; nothing is changed."""
    said = {name: data[name] for name in ("day", "until", "reason")} | {"periods": tuple(data["periods"])}
    with transaction() as session:
        found = service.preview(session, actor=access.staff_actor(), **said)
    return {"booked": found.booked, "cancelled": found.cancelled, "text": found.text(language())}


@blp.post("/closures/reopen")
@access.staff(HALL_MANAGER)
@blp.arguments(ReopenIn)
@blp.response(204)
def reopen(data: dict[str, Any]) -> None:
    """Take back closures, or other hours, of days that aren't over."""
    with transaction() as session:
        service.reopen(session, actor=access.staff_actor(), **data)
