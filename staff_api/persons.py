"""Looking a citizen up, with a matter of theirs in hand (P-5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.staff.confirmations.rules import Act
from auth.staff.roles import BACK_OFFICER, FRONT_CLERK, SECURITY_ADMIN, SUPERVISOR
from casework.persons import service
from casework.persons.emergencies import queries
from casework.persons.emergencies import service as emergencies
from casework.persons.emergencies.models import EmergencyLookUp
from casework.persons.emergencies.rules import Verdict, is_overdue
from casework.persons.rules import Reference
from casework.persons.service import Seen
from core import clock
from core.db import transaction
from core.identifiers import DocumentType
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.request_context import language
from core.web.schemas import Moment, Text

blp = Blueprint("staff_persons", __name__, url_prefix="/staff/v1/persons", description="人员查询 / Persons (staff)")


class PersonLookUpIn(ma.Schema):
    """Whom to look up, and the case or appointment number, or the id of the called ticket, that is the reason."""

    document_type = ma.fields.String(required=True, validate=ma.validate.OneOf([one.value for one in DocumentType]))
    document_number = Text(40, required=True)
    reference = ma.fields.Enum(Reference, by_value=True, required=True)
    number = Text(64, required=True)


class StaffOpenMatterOut(ma.Schema):
    """Something of the person's that is under way."""

    kind = ma.fields.String(required=True)
    number = ma.fields.String(required=True)
    state = ma.fields.Function(lambda one: one.state[language() == "en"], required=True)


class SeenOut(ma.Schema):
    """A person, masked (P-7)."""

    subject_id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True, allow_none=True)
    phone = ma.fields.String(required=True, allow_none=True)
    document_number = ma.fields.String(required=True, allow_none=True)
    level = ma.fields.Integer(required=True)
    open_matters = ma.fields.List(ma.fields.Nested(StaffOpenMatterOut), required=True)


class EmergencyIn(ma.Schema):
    """Whom, and what the emergency is."""

    document_type = ma.fields.String(required=True, validate=ma.validate.OneOf([one.value for one in DocumentType]))
    document_number = Text(40, required=True)
    reason = Text(500, shortest=10, lines=True, required=True)


class EmergencyQueryIn(PageIn):
    """Which emergency look-ups: those that wait for a review, or those that were found to be one or none."""

    verdict = ma.fields.Enum(Verdict, by_value=True, load_default=Verdict.OPEN)


class EmergencyOut(ma.Schema):
    """An emergency look-up and its review, which is due by `due_at`. It names nobody."""

    id = ma.fields.UUID(required=True)
    staff_id = ma.fields.UUID(required=True)
    reason = ma.fields.String(required=True)
    at = Moment(required=True)
    due_at = Moment(required=True)
    overdue = ma.fields.Function(lambda look: is_overdue(look.justified, look.due_at, clock.now()), required=True)
    justified = ma.fields.Boolean(required=True, allow_none=True)
    finding = ma.fields.String(required=True, allow_none=True)
    reviewed_at = Moment(required=True, allow_none=True)


class EmergencyReviewIn(ma.Schema):
    """What the supervisor found."""

    justified = ma.fields.Boolean(required=True, truthy={True}, falsy={False})
    finding = Text(500, lines=True, required=True)


@blp.post("/look-up")
@access.staff(FRONT_CLERK, BACK_OFFICER)
@blp.arguments(PersonLookUpIn)
@blp.response(200, SeenOut)
def look_up(data: dict[str, Any]) -> Seen:
    """Look a citizen up; every look is recorded, one without a matter as an anomaly."""
    with transaction() as session:
        outcome = service.look_up(session, actor=access.staff_actor(), **data)
    return outcome.insist()


@blp.post("/emergencies")
@access.staff(FRONT_CLERK, BACK_OFFICER, confirm=Act.IDENTITY)
@blp.arguments(EmergencyIn)
@blp.response(200, SeenOut)
def break_glass(data: dict[str, Any]) -> Seen:
    """Look a citizen up without a matter in an emergency; a supervisor reviews every one."""
    with transaction() as session:
        outcome = emergencies.look_up(session, actor=access.staff_actor(), **data)
    return outcome.insist()


@blp.get("/emergencies")
@access.staff(SUPERVISOR, SECURITY_ADMIN)
@blp.arguments(EmergencyQueryIn, location="query")
@blp.response(200, page_out(EmergencyOut))
def looks(args: dict[str, Any]) -> Page[EmergencyLookUp]:
    """List the emergency look-ups, those that wait for a review unless told otherwise."""
    with transaction() as session:
        return queries.looks(session, args)


@blp.post("/emergencies/<uuid:look_id>/review")
@access.staff(SUPERVISOR)
@blp.arguments(EmergencyReviewIn)
@blp.response(200, EmergencyOut)
def review(data: dict[str, Any], look_id: UUID) -> EmergencyLookUp:
    """Say whether it was an emergency."""
    with transaction() as session:
        return emergencies.review(session, actor=access.staff_actor(), look_id=look_id, **data)
