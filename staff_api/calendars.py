"""The working calendar, published in versions and changed by two people."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask_smorest.fields import Upload

from auth.staff.roles import HALL_MANAGER, SYSTEM_ADMIN
from casework.calendars import queries, service
from casework.calendars.models import CalendarProposal
from casework.calendars.queries import PublishedDay, Version
from casework.calendars.rules import State
from core.calendar import CalendarChange
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Code, Moment, Text, Whole

blp = Blueprint("staff_calendars", __name__, url_prefix="/staff/v1/calendar", description="工作日历 / Calendar (staff)")

_LONGEST = 400
_WHOLE_YEAR = "The days are what is special in this year, all others are plain: the whole year is published"


class CalendarDayIn(ma.Schema):
    """What a day shall be; `name`: the holiday's or the reason, of a make-up working day too."""

    day = ma.fields.Date(required=True)
    is_workday = ma.fields.Boolean(required=True)
    name = Text(50, shortest=0, load_default="")


class CalendarProposalIn(ma.Schema):
    """Days, and the notice they rest on."""

    days = ma.fields.List(ma.fields.Nested(CalendarDayIn), required=True, validate=ma.validate.Length(1, _LONGEST))
    source = Text(200, required=True)
    year = Whole(2000, 2100, load_default=None, metadata={"description": _WHOLE_YEAR})


class CalendarFileIn(ma.Schema):
    """One file, as multipart/form-data."""

    file = Upload(
        required=True,
        metadata={"format": "binary", "description": "CSV or JSON: day, is_workday, name; at most 800 rows and 1 MB"},
    )


class CalendarFileSaidIn(ma.Schema):
    """Beside the file."""

    source = Text(200, required=True)
    year = Whole(2000, 2100, strict=False, load_default=None, metadata={"description": _WHOLE_YEAR})


class CalendarDecisionIn(ma.Schema):
    """Approve, or reject."""

    approved = ma.fields.Boolean(required=True)


class CalendarYearIn(ma.Schema):
    """Which year."""

    year = Whole(2000, 2100, strict=False, required=True)


class CalendarChangesIn(PageIn):
    """Of which version, of which day."""

    version = Whole(1, 10**9, strict=False, load_default=None)
    day = ma.fields.Date(load_default=None)


class CalendarChangeOut(ma.Schema):
    """What a day was (null: not published) and what it becomes."""

    day = ma.fields.String(required=True)
    was_workday = ma.fields.Boolean(required=True, allow_none=True)
    was_name = ma.fields.String(required=True, allow_none=True)
    is_workday = ma.fields.Boolean(required=True)
    name = ma.fields.String(required=True)


class CalendarProposalOut(ma.Schema):
    """A proposal and what became of it; `version`: as what it was published."""

    id = ma.fields.UUID(required=True)
    days = ma.fields.List(ma.fields.Nested(CalendarChangeOut), required=True)
    source = ma.fields.String(required=True)
    state = Code(State, required=True)
    proposed_by = ma.fields.String(required=True)
    proposed_at = Moment(required=True)
    decided_by = ma.fields.String(required=True, allow_none=True)
    decided_at = Moment(required=True, allow_none=True)
    version = ma.fields.Integer(required=True, allow_none=True)


class CalendarReachOut(ma.Schema):
    """How many open cases are reckoned with the days, how many visits are booked on those that close. 10000: or more."""

    open_cases = ma.fields.Integer(required=True)
    appointments = ma.fields.Integer(required=True)


class CalendarProposalDetailOut(CalendarProposalOut):
    """With whom it touches, as things stand now."""

    reach = ma.fields.Nested(CalendarReachOut, required=True)


class PublishedDayOut(ma.Schema):
    """A day as it is, and the version that set it."""

    day = ma.fields.Date(required=True)
    is_workday = ma.fields.Boolean(required=True)
    name = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)


class PublishedYearOut(ma.Schema):
    """All published days of a year; none when it isn't published."""

    days = ma.fields.List(ma.fields.Nested(PublishedDayOut), required=True)


class CalendarVersionOut(ma.Schema):
    """A publication; `proposed_by` is null when an operator published by command."""

    number = ma.fields.Integer(required=True)
    source = ma.fields.String(required=True)
    published_at = Moment(required=True)
    proposed_by = ma.fields.String(required=True, allow_none=True)
    published_by = ma.fields.String(required=True)


class PublishedChangeOut(CalendarChangeOut):
    """What a version made of a day."""

    version = ma.fields.Integer(required=True)


@blp.get("/days")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@blp.arguments(CalendarYearIn, location="query")
@blp.response(200, PublishedYearOut)
def days(args: dict[str, Any]) -> dict[str, list[PublishedDay]]:
    """Show every published day of a year, each with the version that set it."""
    with transaction() as session:
        return {"days": queries.days(session, args["year"])}


@blp.get("/versions")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(CalendarVersionOut))
def versions(args: dict[str, Any]) -> Page[Version]:
    """List what was published, when and by whom, the newest first."""
    with transaction() as session:
        return queries.versions(session, args)


@blp.get("/changes")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@blp.arguments(CalendarChangesIn, location="query")
@blp.response(200, page_out(PublishedChangeOut))
def changes(args: dict[str, Any]) -> Page[CalendarChange]:
    """List what versions made of days and what the days were before, the newest version first."""
    with transaction() as session:
        return queries.changes(session, args)


@blp.get("/proposals")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(CalendarProposalOut))
def proposals(args: dict[str, Any]) -> Page[CalendarProposal]:
    """List what was proposed, the newest first."""
    with transaction() as session:
        return queries.proposals(session, args)


@blp.get("/proposals/<uuid:proposal_id>")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@blp.response(200, CalendarProposalDetailOut)
def proposal(proposal_id: UUID) -> dict[str, Any]:
    """Show a proposal: each day as it was and as it becomes, and how many cases and visits are touched."""
    with transaction() as session:
        return _detail(*queries.proposal(session, proposal_id))


@blp.post("/proposals")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@run_once
@blp.arguments(CalendarProposalIn)
@blp.response(201, CalendarProposalOut)
def propose(data: dict[str, Any]) -> CalendarProposal:
    """Propose days; somebody else must approve them."""
    with transaction() as session:
        return service.propose(session, actor=access.staff_actor(), **data)


@blp.post("/files")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@blp.arguments(CalendarFileIn, location="files")
@blp.arguments(CalendarFileSaidIn, location="form")
@blp.response(200, CalendarProposalDetailOut)
def send_file(file: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Propose what the days of a file change; the same file sent again finds the same proposal."""
    with transaction() as session:
        made = service.propose_file(session, actor=access.staff_actor(), stream=file["file"].stream, **said)
        return _detail(*queries.proposal(session, made.id))


@blp.post("/proposals/<uuid:proposal_id>/decide")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@blp.arguments(CalendarDecisionIn)
@blp.response(200, CalendarProposalOut)
def decide(data: dict[str, Any], proposal_id: UUID) -> CalendarProposal:
    """Approve or reject what somebody else proposed; approved days hold at once."""
    with transaction() as session:
        return service.decide(session, actor=access.staff_actor(), proposal_id=proposal_id, **data)


def _detail(proposal: CalendarProposal, reach: queries.Reach) -> dict[str, Any]:
    shown = {name: getattr(proposal, name) for name in CalendarProposalOut().fields}
    return {**shown, "reach": asdict(reach)}
