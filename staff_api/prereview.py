"""The clerks' queue of pre-reviews: claim, look at the papers, judge, tell once."""

from __future__ import annotations

import io
from enum import StrEnum
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, send_file

from auth.staff.roles import BACK_OFFICER, FRONT_CLERK, SUPERVISOR
from casework.prereview import rules
from casework.prereview.models import PreReview
from casework.prereview.review import queries, service
from casework.prereview.review.service import Sheet
from casework.prereview.rules import HIDDEN, Provision, Reason, State, Verdict
from core.db import transaction
from core.masking import mask_document, mask_name, mask_phone
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment, Text, Whole

blp = Blueprint(
    "staff_prereview", __name__, url_prefix="/staff/v1/prereviews", description="预审办理 / Pre-review (staff)"
)

READERS = (FRONT_CLERK, BACK_OFFICER)
SEEN = [state for state in State if state not in HIDDEN]


def _code(kind: type[StrEnum], **kwargs: Any) -> ma.fields.String:
    """One of the codes of `kind`, on the way out."""
    return ma.fields.String(required=True, validate=ma.validate.OneOf([code.value for code in kind]), **kwargs)


class PreReviewQueueIn(PageIn):
    """Filters of the queue (PR-3)."""

    state = ma.fields.Enum(State, by_value=True, load_default=None, validate=ma.validate.OneOf(SEEN))
    zone = Text(10, load_default=None)
    item_id = Text(40, load_default=None)


class StaffPreReviewSummaryOut(ma.Schema):
    """A line of the queue; `version` is what a claim is compared with."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    item_id = ma.fields.String(required=True)
    item_name = ma.fields.String(required=True)
    zone_code = ma.fields.String(required=True)
    hall_id = ma.fields.UUID(required=True)
    state = _code(State)
    round = ma.fields.Integer(required=True)
    version = ma.fields.Integer(required=True)
    submitted_at = Moment(required=True)
    answer_due_at = Moment(required=True)
    answer_due_provisional = ma.fields.Boolean(required=True)
    expires_at = Moment(required=True, allow_none=True)
    claimed_by = ma.fields.UUID(required=True, allow_none=True)
    claimed_until = Moment(required=True, allow_none=True)


class StaffPreReviewFileOut(ma.Schema):
    """A paper; superseded ones stay to be compared (PR-13)."""

    file_id = ma.fields.UUID(required=True)
    version = ma.fields.Integer(required=True)
    media_type = ma.fields.String(required=True)
    pages = ma.fields.Integer(required=True)
    size = ma.fields.Integer(required=True)
    digest = ma.fields.Function(lambda file: file.digest.hex(), required=True)
    superseded_at = Moment(required=True, allow_none=True)


class StaffPreReviewMaterialOut(ma.Schema):
    """A material with its verdict."""

    no = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    needed = ma.fields.Boolean(required=True)
    waivable = ma.fields.Boolean(required=True)
    tolerable = ma.fields.Boolean(required=True)
    licence_key = ma.fields.String(required=True)
    licence_name = ma.fields.String(required=True)
    original_required = ma.fields.Boolean(required=True)
    provision = _code(Provision, allow_none=True)
    changed_round = ma.fields.Integer(required=True)
    files = ma.fields.List(ma.fields.Nested(StaffPreReviewFileOut), attribute="all_files", required=True)
    verdict = _code(Verdict, allow_none=True)
    reason_code = _code(Reason, allow_none=True)
    comment = ma.fields.String(required=True, allow_none=True)
    verdict_round = ma.fields.Integer(required=True, allow_none=True)
    valid_until = ma.fields.Date(required=True, allow_none=True)


class StaffPreReviewOut(StaffPreReviewSummaryOut):
    """A pre-review with its papers."""

    answers = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    materials = ma.fields.List(ma.fields.Nested(StaffPreReviewMaterialOut), attribute="listed", required=True)
    state_text = ma.fields.Function(lambda found: rules.text(State(found.state), "zh"), required=True)


class PreReviewApplicantOut(ma.Schema):
    """The person, masked (PR-15)."""

    name = ma.fields.Function(lambda person: person.name and mask_name(person.name), required=True, allow_none=True)
    document_number = ma.fields.Function(
        lambda person: person.document_number and mask_document(person.document_number), required=True, allow_none=True
    )
    phone = ma.fields.Function(lambda person: person.phone and mask_phone(person.phone), required=True, allow_none=True)


class PreReviewMoveOut(ma.Schema):
    """A row of the history."""

    from_state = ma.fields.String(required=True, allow_none=True)
    to_state = ma.fields.String(required=True)
    round = ma.fields.Integer(required=True)
    at = Moment(required=True)
    actor = ma.fields.String(required=True)
    acted_by = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "As what a citizen acted (DG-2); null: not a citizen"}
    )
    note = ma.fields.String(required=True)


class PreReviewNoteOut(ma.Schema):
    """An internal note."""

    by = ma.fields.UUID(required=True)
    text = ma.fields.String(required=True)
    at = Moment(required=True)


class PreReviewSheetOut(ma.Schema):
    """Everything a clerk needs to review."""

    prereview = ma.fields.Nested(StaffPreReviewOut, required=True)
    applicant = ma.fields.Nested(PreReviewApplicantOut, required=True)
    mine = ma.fields.Boolean(required=True, metadata={"description": "I hold the claim"})
    history = ma.fields.List(ma.fields.Nested(PreReviewMoveOut), attribute="prereview.history", required=True)
    notes = ma.fields.List(ma.fields.Nested(PreReviewNoteOut), attribute="prereview.notes", required=True)


class ClaimPreReviewIn(ma.Schema):
    """The version the clerk saw in the queue; without it, whatever is there now."""

    version = Whole(1, 2**31 - 1, load_default=None)


class MaterialVerdictIn(ma.Schema):
    """The verdict on one material (PR-4, PR-6)."""

    verdict = ma.fields.Enum(Verdict, by_value=True, required=True)
    reason_code = ma.fields.Enum(Reason, by_value=True, load_default=None, allow_none=True)
    comment = Text(500, shortest=0, lines=True, load_default="")
    valid_until = ma.fields.Date(
        load_default=None, allow_none=True, metadata={"description": "Last day of validity printed on the paper"}
    )


class RejectPreReviewIn(ma.Schema):
    """Who is in charge instead (PR-7)."""

    right_body = Text(100, required=True)
    reason = Text(500, required=True, lines=True)
    item_id = Text(40, load_default=None, allow_none=True)


class TransferPreReviewIn(ma.Schema):
    """Where to."""

    hall_id = ma.fields.UUID(required=True)
    reason = Text(500, shortest=0, lines=True, load_default="")


class PreReviewNoteIn(ma.Schema):
    """An internal note."""

    text = Text(1000, required=True, lines=True)


class SecondDefectIn(ma.Schema):
    """Why a late defect may be raised (PR-5)."""

    reason = Text(500, required=True, lines=True)


@blp.get("")
@access.staff(*READERS)
@blp.arguments(PreReviewQueueIn, location="query")
@blp.response(200, page_out(StaffPreReviewSummaryOut))
def list_queue(args: dict[str, Any]) -> Page[PreReview]:
    """List the pre-reviews of my hall, longest waiting first."""
    with transaction() as session:
        return queries.queue(session, access.staff_actor(), args)


@blp.get("/by-number/<string:number>")
@access.staff(FRONT_CLERK)
@blp.response(200, PreReviewSheetOut)
def get_by_number(number: str) -> Sheet:
    """Open a pre-review at the counter by the number on its QR code; the reading is logged."""
    with transaction() as session:
        return service.read_for_counter(session, actor=access.staff_actor(), number=number)


@blp.get("/<uuid:prereview_id>")
@access.staff(*READERS)
@blp.response(200, PreReviewSheetOut)
def get_prereview(prereview_id: UUID) -> Sheet:
    """Open a pre-review of my hall; the reading is logged."""
    with transaction() as session:
        return service.read(session, actor=access.staff_actor(), prereview_id=prereview_id)


@blp.get("/<uuid:prereview_id>/files/<uuid:file_id>")
@access.staff(*READERS)
@blp.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def get_file(prereview_id: UUID, file_id: UUID) -> Response:
    """Open a paper, watermarked with the clerk and the time; the reading is logged."""
    actor = access.staff_actor()
    with transaction() as session:
        paper = service.open_file(session, actor=actor, prereview_id=prereview_id, file_id=file_id)
    kind, copy = paper.media_type, io.BytesIO(paper.content())
    return send_file(copy, kind, as_attachment=not kind.is_image, download_name=f"{file_id}{kind.suffix}", max_age=0)


@blp.post("/<uuid:prereview_id>/claim")
@access.staff(*READERS)
@blp.arguments(ClaimPreReviewIn)
@blp.response(200, StaffPreReviewOut)
def claim(data: dict[str, Any], prereview_id: UUID) -> PreReview:
    """Claim a waiting pre-review for half an hour, or renew my claim."""
    with transaction() as session:
        return service.claim(session, actor=access.staff_actor(), prereview_id=prereview_id, **data)


@blp.post("/<uuid:prereview_id>/release")
@access.staff(*READERS)
@blp.response(200, StaffPreReviewOut)
def release(prereview_id: UUID) -> PreReview:
    """Give a claimed pre-review back to the queue."""
    with transaction() as session:
        return service.release(session, actor=access.staff_actor(), prereview_id=prereview_id)


@blp.put("/<uuid:prereview_id>/materials/<int:no>/verdict")
@access.staff(*READERS)
@blp.arguments(MaterialVerdictIn)
@blp.response(200, StaffPreReviewOut)
def give_verdict(data: dict[str, Any], prereview_id: UUID, no: int) -> PreReview:
    """Judge one material."""
    actor = access.staff_actor()
    with transaction() as session:
        return service.give_verdict(session, actor=actor, prereview_id=prereview_id, no=no, **data)


@blp.post("/<uuid:prereview_id>/materials/<int:no>/second-defect")
@access.staff(SUPERVISOR)
@blp.arguments(SecondDefectIn)
@blp.response(204)
def allow_second_defect(data: dict[str, Any], prereview_id: UUID, no: int) -> None:
    """Let a defect be raised that the first notice didn't tell; it is counted."""
    actor = access.staff_actor()
    with transaction() as session:
        service.allow_second_defect(session, actor=actor, prereview_id=prereview_id, no=no, **data)


@blp.post("/<uuid:prereview_id>/notes")
@access.staff(*READERS)
@blp.arguments(PreReviewNoteIn)
@blp.response(204)
def add_note(data: dict[str, Any], prereview_id: UUID) -> None:
    """Write an internal note."""
    with transaction() as session:
        service.add_note(session, actor=access.staff_actor(), prereview_id=prereview_id, **data)


@blp.post("/<uuid:prereview_id>/conclude")
@access.staff(*READERS)
@blp.response(200, StaffPreReviewOut)
def conclude(prereview_id: UUID) -> PreReview:
    """Tell the citizen the outcome, which follows from the verdicts, all at once."""
    with transaction() as session:
        return service.conclude(session, actor=access.staff_actor(), prereview_id=prereview_id)


@blp.post("/<uuid:prereview_id>/reject")
@access.staff(*READERS)
@blp.arguments(RejectPreReviewIn)
@blp.response(200, StaffPreReviewOut)
def reject(data: dict[str, Any], prereview_id: UUID) -> PreReview:
    """Say that another body is in charge, and which."""
    with transaction() as session:
        return service.reject(session, actor=access.staff_actor(), prereview_id=prereview_id, **data)


@blp.post("/<uuid:prereview_id>/transfer")
@access.staff(*READERS)
@blp.arguments(TransferPreReviewIn)
@blp.response(200, StaffPreReviewOut)
def transfer(data: dict[str, Any], prereview_id: UUID) -> PreReview:
    """Hand a claimed pre-review to another hall's queue."""
    with transaction() as session:
        return service.transfer(session, actor=access.staff_actor(), prereview_id=prereview_id, **data)
