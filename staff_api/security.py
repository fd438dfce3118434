"""What the security administrator looks into: sign-ins that people say weren't theirs, and how much waits in all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.accounts.freezing import queries as freezes
from auth.sessions.devices import queries, service
from auth.sessions.devices.models import SignInReport
from auth.staff.roles import SECURITY_ADMIN, SUPERVISOR
from casework.persons.emergencies import queries as emergencies
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment, Text

blp = Blueprint("staff_security", __name__, url_prefix="/staff/v1/security", description="账号安全 / Account security")


class ReportQueryIn(PageIn):
    """Filters of the list."""

    open = ma.fields.Boolean(load_default=True)


class FindingIn(ma.Schema):
    """What was found."""

    finding = Text(500, lines=True, required=True)


class SignInReportOut(ma.Schema):
    """A disowned sign-in. Who the person is isn't shown: the administrator looks for patterns, not persons."""

    id = ma.fields.UUID(required=True)
    subject_id = ma.fields.UUID(required=True)
    reported_at = Moment(required=True)
    rebinding_frozen_until = Moment(required=True)
    sessions_ended = ma.fields.Integer(required=True)
    signed_in_at = Moment(required=True)
    method = ma.fields.String(required=True)
    channel = ma.fields.String(required=True)
    result = ma.fields.String(required=True)
    address = ma.fields.String(required=True, allow_none=True)
    device = ma.fields.String(required=True, allow_none=True)
    closed_at = Moment(required=True, allow_none=True)
    finding = ma.fields.String(required=True, allow_none=True)


class WaitingOut(ma.Schema):
    """How much waits for somebody to look into it; a console asks every minute and shows it as a badge."""

    emergencies = ma.fields.Integer(
        required=True, metadata={"description": "Emergency look-ups without a review (P-5)"}
    )
    emergencies_overdue = ma.fields.Integer(required=True, metadata={"description": "Of these, past their day"})
    sign_in_reports = ma.fields.Integer(required=True, metadata={"description": "Disowned sign-ins"})
    freezes_proposed = ma.fields.Integer(
        required=True, metadata={"description": "Freezes somebody wants to lift (ID-12)"}
    )


@blp.get("/waiting")
@access.staff(SECURITY_ADMIN, SUPERVISOR)
@blp.response(200, WaitingOut)
def waiting() -> dict[str, int]:
    """Say how much waits to be looked into."""
    with transaction() as session:
        late_of = emergencies.count_open(session, clock.now())
        return {
            "emergencies": late_of[0],
            "emergencies_overdue": late_of[1],
            "sign_in_reports": queries.count_open(session),
            "freezes_proposed": freezes.count_proposed(session),
        }


@blp.get("/sign-in-reports")
@access.staff(SECURITY_ADMIN)
@blp.arguments(ReportQueryIn, location="query")
@blp.response(200, page_out(SignInReportOut))
def reports(args: dict[str, Any]) -> Page[SignInReport]:
    """List the sign-ins that people disowned."""
    with transaction() as session:
        return queries.reports(session, args)


@blp.post("/sign-in-reports/<uuid:report_id>/close")
@access.staff(SECURITY_ADMIN)
@blp.arguments(FindingIn)
@blp.response(200, SignInReportOut)
def close(data: dict[str, Any], report_id: UUID) -> SignInReport:
    """Close a report with what was found."""
    with transaction() as session:
        return service.close_report(session, actor=access.staff_actor(), report_id=report_id, finding=data["finding"])
