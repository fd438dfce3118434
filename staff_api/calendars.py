"""The working calendar, changed by two people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask_smorest import Blueprint
from sqlalchemy import select

from auth.staff.roles import HALL_MANAGER, SYSTEM_ADMIN
from casework.calendars import service
from casework.calendars.models import CalendarProposal
from casework.calendars.rules import State
from core.db import transaction
from core.web import access
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, by_id, page_out
from core.web.schemas import Code, Moment, Text

blp = Blueprint("staff_calendars", __name__, url_prefix="/staff/v1/calendar", description="工作日历 / Calendar (staff)")

_LONGEST = 400


class CalendarDayIn(ma.Schema):
    """What a day shall be; `name`: the holiday's, of a make-up working day too."""

    day = ma.fields.Date(required=True)
    is_workday = ma.fields.Boolean(required=True)
    name = Text(50, shortest=0, load_default="")


class CalendarProposalIn(ma.Schema):
    """Days, and the notice they rest on."""

    days = ma.fields.List(ma.fields.Nested(CalendarDayIn), required=True, validate=ma.validate.Length(1, _LONGEST))
    source = Text(200, required=True)


class CalendarDecisionIn(ma.Schema):
    """Approve, or reject."""

    approved = ma.fields.Boolean(required=True)


class CalendarDayOut(ma.Schema):
    """What a day shall be."""

    day = ma.fields.String(required=True)
    is_workday = ma.fields.Boolean(required=True)
    name = ma.fields.String(required=True)


class CalendarProposalOut(ma.Schema):
    """A proposal and what became of it."""

    id = ma.fields.UUID(required=True)
    days = ma.fields.List(ma.fields.Nested(CalendarDayOut), required=True)
    source = ma.fields.String(required=True)
    state = Code(State, required=True)
    proposed_by = ma.fields.String(required=True)
    proposed_at = Moment(required=True)
    decided_by = ma.fields.String(required=True, allow_none=True)
    decided_at = Moment(required=True, allow_none=True)


@blp.get("/proposals")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(CalendarProposalOut))
def proposals(args: dict[str, Any]) -> Page[CalendarProposal]:
    """List what was proposed, the newest first."""
    with transaction() as session:
        return by_id(session, select(CalendarProposal), CalendarProposal.id, args)


@blp.post("/proposals")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@run_once
@blp.arguments(CalendarProposalIn)
@blp.response(201, CalendarProposalOut)
def propose(data: dict[str, Any]) -> CalendarProposal:
    """Propose days; somebody else must approve them."""
    with transaction() as session:
        return service.propose(session, actor=access.staff_actor(), **data)


@blp.post("/proposals/<uuid:proposal_id>/decide")
@access.staff(HALL_MANAGER, SYSTEM_ADMIN)
@blp.arguments(CalendarDecisionIn)
@blp.response(200, CalendarProposalOut)
def decide(data: dict[str, Any], proposal_id: UUID) -> CalendarProposal:
    """Approve or reject what somebody else proposed; approved days hold at once."""
    with transaction() as session:
        return service.decide(session, actor=access.staff_actor(), proposal_id=proposal_id, **data)
