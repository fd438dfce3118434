"""Cases on the clerks' side: receive and accept at the counter, review and decide in the back office, issue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.staff.confirmations.rules import Act
from auth.staff.roles import BACK_OFFICER, DEPARTMENT_MANAGER, FRONT_CLERK, SUPERVISOR
from casework.cases import queries, service
from casework.cases.collection import service as collection
from casework.cases.models import ServiceCase
from casework.cases.rules import LABELS, State
from casework.counter import service as counter
from core import audit, clock
from core.db import transaction
from core.identifiers import DocumentType, normalise_document
from core.masking import mask_document, mask_name
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment, Text, Whole
from core.workdays import Colour

blp = Blueprint("staff_cases", __name__, url_prefix="/staff/v1/cases", description="办件办理 / Cases (staff)")

READERS = (FRONT_CLERK, BACK_OFFICER, DEPARTMENT_MANAGER, SUPERVISOR)


class DocumentIn(ma.Schema):
    """The card in the clerk's hand."""

    document_type = ma.fields.Enum(DocumentType, by_value=True, required=True)
    document_number = Text(40, required=True)


class NoteHallIn(ma.Schema):
    """The hall to collect the result in."""

    hall_id = ma.fields.UUID(required=True)


class DifferenceIn(ma.Schema):
    """An original that differs from its upload (PR-11)."""

    material_no = Whole(1, 200, required=True)
    note = Text(200, required=True)


class AcceptIn(DocumentIn):
    """Accept a passed pre-review."""

    prereview_id = ma.fields.UUID(required=True)
    differences = ma.fields.List(ma.fields.Nested(DifferenceIn), load_default=list, validate=ma.validate.Length(max=50))
    accept = ma.fields.Boolean(
        load_default=True,
        truthy={True},
        falsy={False},
        metadata={"description": "false: receive only; accept or refuse within 5 working days"},
    )


class WalkInIn(DocumentIn):
    """Accept the papers of a person without an account."""

    name = Text(100, required=True)
    phone = Text(30, load_default=None)
    item_id = Text(40, required=True)
    answers = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), load_default=dict)
    accept = ma.fields.Boolean(load_default=True, truthy={True}, falsy={False})


class NotAcceptIn(ma.Schema):
    """Reason and legal clause (C-3); a reason that a passed pre-review should have told counts as a service failure (PR-12)."""

    reason = Text(500, required=True)
    clause = Text(200, required=True)
    visible_in_upload = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})


class DecideIn(ma.Schema):
    """The decision; a refusal needs reason and clause."""

    granted = ma.fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = Text(500, shortest=0, load_default="")
    clause = Text(200, shortest=0, load_default="")


class ConcludeIn(ma.Schema):
    """The result."""

    result_name = Text(100, required=True)
    result_number = Text(100, required=True)


class CorrectionIn(ma.Schema):
    """Everything that is missing, once (C-4)."""

    defects = ma.fields.List(Text(200), required=True, validate=ma.validate.Length(1, 50))
    supervisor_reason = Text(500, shortest=0, load_default="")


class SuspendIn(ma.Schema):
    """A special procedure (K-5)."""

    name = Text(100, required=True)
    reason = Text(500, required=True)


class ExtendIn(ma.Schema):
    """An approved extension (C-6)."""

    workdays = Whole(1, 10, required=True)
    reason = Text(500, required=True)


class CaseQueryIn(PageIn):
    """Filters of the list."""

    state = ma.fields.Enum(State, by_value=True, load_default=None)
    number = Text(50, load_default=None)


class StaffCaseOut(ma.Schema):
    """A case as staff see it: the applicant masked."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    item_id = ma.fields.String(required=True)
    item_name = ma.fields.String(required=True)
    department_id = ma.fields.String(required=True)
    accept_hall_id = ma.fields.UUID(required=True)
    issue_hall_id = ma.fields.UUID(required=True)
    applicant = ma.fields.Function(lambda case: mask_name(case.applicant_name), required=True)
    document = ma.fields.Function(lambda case: mask_document(case.applicant_document), required=True)
    state = ma.fields.String(required=True)
    state_label = ma.fields.Function(lambda case: LABELS[State(case.state)][0], required=True)
    received_at = Moment(required=True)
    accepted_on = ma.fields.Date(required=True, allow_none=True)
    due_on = ma.fields.Date(required=True, allow_none=True)
    due_status = ma.fields.String(required=True, allow_none=True)
    legal_due_on = ma.fields.Date(required=True, allow_none=True)
    issue_due_on = ma.fields.Date(required=True, allow_none=True)
    colour = ma.fields.Function(
        lambda case: queries.colour(case, clock.today()),
        required=True,
        metadata={
            "type": ["string", "null"],
            "enum": [*Colour, None],
            "description": "K-6: RED past the promise, BLACK past the law; null while the clock stands still",
        },
    )
    result_name = ma.fields.String(required=True)
    result_number = ma.fields.String(required=True)


class HistoryOut(ma.Schema):
    """A move of a case as staff see it, the inner reason included (C-1)."""

    at = Moment(required=True)
    to_state = ma.fields.String(required=True)
    role = ma.fields.String(required=True)
    acted_by = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "As what a citizen acted (DG-2); null: not a citizen"}
    )
    reason = ma.fields.String(required=True)
    public_note = ma.fields.String(required=True)
    old_due_on = ma.fields.Date(required=True, allow_none=True)
    new_due_on = ma.fields.Date(required=True, allow_none=True)


class StaffCorrectionOut(ma.Schema):
    """A correction notice and what came of it (C-4)."""

    defects = ma.fields.List(ma.fields.String(), required=True)
    due_on = ma.fields.Date(required=True)
    supervisor_reason = ma.fields.String(required=True)
    answered_at = Moment(required=True, allow_none=True)
    answer_file_ids = ma.fields.List(ma.fields.UUID(), required=True)
    expired = ma.fields.Boolean(required=True)


class StaffCaseDetailOut(StaffCaseOut):
    """A case with its history."""

    prereview_id = ma.fields.UUID(required=True, allow_none=True)
    answers = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    deemed = ma.fields.Boolean(required=True)
    history = ma.fields.List(ma.fields.Nested(HistoryOut), attribute="transitions", required=True)
    corrections = ma.fields.List(ma.fields.Nested(StaffCorrectionOut), required=True)


@blp.post("")
@access.staff(FRONT_CLERK)
@run_once
@blp.arguments(AcceptIn)
@blp.response(201, StaffCaseOut)
def accept_prereview(data: dict[str, Any]) -> ServiceCase:
    """Accept a passed pre-review at the counter, the card in hand."""
    document = normalise_document(data["document_type"], data["document_number"])
    differences = [counter.Difference(**found) for found in data["differences"]]
    with transaction() as session:
        return counter.accept_prereview(
            session,
            actor=access.staff_actor(),
            prereview_id=data["prereview_id"],
            document=document,
            differences=differences,
            accept=data["accept"],
        )


@blp.post("/walk-in")
@access.staff(FRONT_CLERK)
@run_once
@blp.arguments(WalkInIn)
@blp.response(201, StaffCaseOut)
def accept_walk_in(data: dict[str, Any]) -> ServiceCase:
    """Accept the papers of a person who came without an account."""
    document = normalise_document(data.pop("document_type"), data.pop("document_number"))
    with transaction() as session:
        return counter.accept_walk_in(session, actor=access.staff_actor(), document=document, **data)


@blp.get("")
@access.staff(*READERS)
@blp.arguments(CaseQueryIn, location="query")
@blp.response(200, page_out(StaffCaseOut))
def list_cases(args: dict[str, Any]) -> Page[ServiceCase]:
    """List the cases of my hall or department, longest waiting first."""
    with transaction() as session:
        return queries.page_for_staff(session, access.staff_actor(), args)


@blp.get("/<uuid:case_id>")
@access.staff(*READERS)
@blp.response(200, StaffCaseDetailOut)
def get_case(case_id: UUID) -> ServiceCase:
    """Show a case of my hall or department; the reading is logged (P-5)."""
    actor = access.staff_actor()
    with transaction() as session:
        case = queries.for_staff(session, case_id, actor)
        audit.record(session, actor=actor, action="case.read", object_type="case", object_id=case_id)
        return case


@blp.post("/<uuid:case_id>/accept")
@access.staff(FRONT_CLERK)
@blp.response(200, StaffCaseOut)
def accept(case_id: UUID) -> ServiceCase:
    """Accept a received case."""
    with transaction() as session:
        return service.accept(session, actor=access.staff_actor(), case_id=case_id)


@blp.post("/<uuid:case_id>/not-accept")
@access.staff(FRONT_CLERK, confirm=Act.DECIDE)
@blp.arguments(NotAcceptIn)
@blp.response(200, StaffCaseOut)
def not_accept(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Refuse acceptance in writing, with reason, clause and remedy."""
    with transaction() as session:
        return counter.not_accept(session, actor=access.staff_actor(), case_id=case_id, **data)


@blp.post("/<uuid:case_id>/correction")
@access.staff(FRONT_CLERK, BACK_OFFICER)
@blp.arguments(CorrectionIn)
@blp.response(200, StaffCaseOut)
def request_correction(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Tell the citizen once of everything that is missing."""
    with transaction() as session:
        return service.request_correction(session, actor=access.staff_actor(), case_id=case_id, **data)


@blp.post("/<uuid:case_id>/suspend")
@access.staff(BACK_OFFICER)
@blp.arguments(SuspendIn)
@blp.response(200, StaffCaseOut)
def suspend(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Begin a special procedure; the clocks stop."""
    with transaction() as session:
        return service.suspend(session, actor=access.staff_actor(), case_id=case_id, **data)


@blp.post("/<uuid:case_id>/resume")
@access.staff(BACK_OFFICER)
@blp.response(200, StaffCaseOut)
def resume(case_id: UUID) -> ServiceCase:
    """End the special procedure; the clocks go on."""
    with transaction() as session:
        return service.resume(session, actor=access.staff_actor(), case_id=case_id)


@blp.post("/<uuid:case_id>/extend")
@access.staff(DEPARTMENT_MANAGER)
@blp.arguments(ExtendIn)
@blp.response(200, StaffCaseOut)
def extend(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Extend the time limit, once, before it has passed."""
    with transaction() as session:
        return service.extend(session, actor=access.staff_actor(), case_id=case_id, **data)


@blp.post("/<uuid:case_id>/decide")
@access.staff(BACK_OFFICER, confirm=Act.DECIDE)
@blp.arguments(DecideIn)
@blp.response(200, StaffCaseOut)
def decide(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Grant or refuse."""
    with transaction() as session:
        return service.decide(session, actor=access.staff_actor(), case_id=case_id, **data)


@blp.post("/<uuid:case_id>/conclude")
@access.staff(BACK_OFFICER)
@blp.arguments(ConcludeIn)
@blp.response(200, StaffCaseOut)
def conclude(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Record the result; the issue clock starts."""
    with transaction() as session:
        return service.conclude(session, actor=access.staff_actor(), case_id=case_id, **data)


@blp.post("/<uuid:case_id>/issue")
@access.staff(FRONT_CLERK, BACK_OFFICER)
@blp.response(200, StaffCaseOut)
def issue(case_id: UUID) -> ServiceCase:
    """Say that the result is made and can be collected or sent."""
    with transaction() as session:
        return service.start_issuing(session, actor=access.staff_actor(), case_id=case_id)


@blp.put("/<uuid:case_id>/collection-hall")
@access.staff(FRONT_CLERK)
@blp.arguments(NoteHallIn)
@blp.response(200, StaffCaseOut)
def choose_hall(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Note the hall in which the applicant wants to collect the result, until it is being issued."""
    with transaction() as session:
        return collection.choose_hall(session, actor=access.staff_actor(), case_id=case_id, hall_id=data["hall_id"])


@blp.post("/<uuid:case_id>/collect")
@access.staff(FRONT_CLERK)
@blp.arguments(DocumentIn)
@blp.response(200, StaffCaseOut)
def collect(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Hand the result over at the counter to the person whose card is in hand."""
    document = normalise_document(data["document_type"], data["document_number"])
    with transaction() as session:
        return service.collect(session, actor=access.staff_actor(), case_id=case_id, document=document)
