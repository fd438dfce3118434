"""A citizen's own pre-reviews. Every text says 预审 and 非正式受理 (PR-14)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import marshmallow as ma

from casework.prereview import queries, rules, service
from casework.prereview.models import PreReview
from casework.prereview.queries import Detail, MaterialView
from casework.prereview.rules import REASON_TEXTS, VERDICT_TEXTS, Provision, Reason, State, Verdict
from core import clock
from core.actors import Action, Capacity
from core.db import transaction
from core.limits import Limit
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.request_context import language
from core.web.schemas import Moment, Text

blp = Blueprint("prereview", __name__, url_prefix="/api/v1/prereviews", description="预审 / Pre-review")

LEVEL = 2
STARTS = Limit("prereview.start", 30, 3600)


def _code(kind: type[StrEnum], **kwargs: Any) -> ma.fields.String:
    """One of the codes of `kind`, on the way out."""
    return ma.fields.String(required=True, validate=ma.validate.OneOf([code.value for code in kind]), **kwargs)


class StateText(ma.fields.String):
    """A state as a sentence in the caller's language."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return rules.text(State(value), language())


class CodeText(ma.fields.String):
    """A code of `texts` in the caller's language."""

    def __init__(self, texts: dict[Any, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._texts = texts

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return None if value is None else self._texts[value][language() == "en"]


class LastDay(ma.fields.Date):
    """The last day of a time limit whose end is the midnight after it."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        day = clock.local(value - timedelta(seconds=1)).date() if isinstance(value, datetime) else None
        return super()._serialize(day, attr, obj, **kwargs)


class PreReviewSummaryOut(ma.Schema):
    """A line of the list."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    item_id = ma.fields.String(required=True)
    item_name = ma.fields.String(required=True)
    hall_id = ma.fields.UUID(required=True)
    state = _code(State)
    state_text = StateText(attribute="state", dump_only=True)
    round = ma.fields.Integer(required=True, metadata={"description": "How often it was submitted"})
    submitted_at = Moment(required=True, allow_none=True)
    answer_due_on = LastDay(attribute="answer_due_at", required=True, allow_none=True)
    answer_due_provisional = ma.fields.Boolean(required=True, metadata={"description": "Show “预计”"})
    expires_on = LastDay(attribute="expires_at", required=True, allow_none=True)
    expires_provisional = ma.fields.Boolean(required=True)
    acted_by = _code(Capacity, allow_none=True, metadata={"description": "As what somebody started it (DG-2)"})
    created_at = Moment(required=True)
    updated_at = Moment(required=True)


class PreReviewFileOut(ma.Schema):
    """A file of a material."""

    file_id = ma.fields.UUID(required=True)
    media_type = ma.fields.String(required=True)
    pages = ma.fields.Integer(required=True)
    size = ma.fields.Integer(required=True)


class PreReviewMaterialOut(ma.Schema):
    """A material of the list; its verdict appears when everything is told (PR-5)."""

    no = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    needed = ma.fields.Boolean(required=True, metadata={"description": "Must be provided before submission"})
    waivable = ma.fields.Boolean(required=True, metadata={"description": "免提交: a licence may replace it"})
    tolerable = ma.fields.Boolean(required=True, metadata={"description": "容缺: may follow later"})
    licence_name = ma.fields.String(required=True)
    original_required = ma.fields.Boolean(required=True)
    alternative_group = ma.fields.String(required=True, metadata={"description": "One paper of a group is enough"})
    provision = _code(Provision, allow_none=True)
    file_version = ma.fields.Integer(required=True)
    files = ma.fields.List(ma.fields.Nested(PreReviewFileOut), required=True)
    verdict = _code(Verdict, allow_none=True)
    verdict_text = CodeText(VERDICT_TEXTS, attribute="verdict", dump_only=True, allow_none=True)
    reason_code = _code(Reason, allow_none=True)
    reason_text = CodeText(REASON_TEXTS, attribute="reason_code", dump_only=True, allow_none=True)
    comment = ma.fields.String(required=True, allow_none=True)
    bring = ma.fields.Boolean(required=True, metadata={"description": "Bring the original to the counter"})

    def get_attribute(self, obj: MaterialView, attr: str, default: Any) -> Any:
        """The material's own, without a verdict, and what follows from it, that hasn't been told."""
        if attr in {"verdict", "reason_code", "comment", "bring"} and not obj.told:
            return False if attr == "bring" else None
        return super().get_attribute(obj.material, attr, default)


class PreReviewChangeOut(ma.Schema):
    """One difference between two versions of a list."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(["ADDED", "REMOVED", "CHANGED"]))
    no = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)


class ItemOpenQuestionOut(ma.Schema):
    """A question of the new version that has no answer yet."""

    key = ma.fields.String(required=True)
    text = ma.fields.String(required=True)


class PreReviewStepOut(ma.Schema):
    """Something that can be done next."""

    action = ma.fields.String(required=True)
    text = ma.fields.Function(lambda step: step.en if language() == "en" else step.zh, required=True)


class ItemDifferenceOut(ma.Schema):
    """One thing that the new version says otherwise, with a sentence."""

    element = ma.fields.String(required=True)
    path = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(["CHANGED", "ADDED", "REMOVED", "MOVED"]))
    before = ma.fields.Raw(required=True, allow_none=True)
    after = ma.fields.Raw(required=True, allow_none=True)
    text = ma.fields.String(required=True)


class ItemVersionChangeOut(ma.Schema):
    """What the item's new version changes. ADOPT it (confirm-version) to go on, or KEEP the draft as it is for now (PR-2)."""

    code = ma.fields.Constant("ITEM_VERSION_CHANGED")
    version_id = ma.fields.UUID(attribute="item.version_id", required=True)
    effective_from = ma.fields.Date(attribute="item.effective_from", required=True)
    difference = ma.fields.List(ma.fields.Nested(ItemDifferenceOut), attribute="told", required=True)
    choices = ma.fields.List(ma.fields.Nested(PreReviewStepOut), required=True)
    changes = ma.fields.List(ma.fields.Nested(PreReviewChangeOut), required=True)
    open_questions = ma.fields.List(ma.fields.Nested(ItemOpenQuestionOut), required=True)


class PreReviewOut(PreReviewSummaryOut):
    """A pre-review with its materials."""

    version_id = ma.fields.UUID(required=True)
    answers = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    materials = ma.fields.List(ma.fields.Nested(PreReviewMaterialOut), required=True)
    version_change = ma.fields.Nested(ItemVersionChangeOut, required=True, allow_none=True)
    next_steps = ma.fields.List(ma.fields.Nested(PreReviewStepOut), required=True)
    right_body = ma.fields.String(required=True, metadata={"description": "Who is in charge, when rejected"})
    right_item_id = ma.fields.String(required=True, allow_none=True)
    reject_reason = ma.fields.String(required=True, allow_none=True)

    def get_attribute(self, obj: Detail, attr: str, default: Any) -> Any:
        """What the detail adds, else the pre-review's own."""
        source = obj if attr in {"materials", "version_change", "next_steps"} else obj.prereview
        return super().get_attribute(source, attr, default)


def _answers(**kwargs: Any) -> ma.fields.Dict:
    return ma.fields.Dict(
        keys=Text(100), values=Text(100), metadata={"description": "Question key → chosen option"}, **kwargs
    )


class StartPreReviewIn(ma.Schema):
    """Which item, in which situation; without a hall, the item's first."""

    item_id = Text(40, required=True)
    hall_id = ma.fields.UUID(load_default=None)
    answers = _answers(load_default=dict)


class SetPreReviewMaterialIn(ma.Schema):
    """How a material is provided; null takes an optional one back."""

    provision = ma.fields.Enum(Provision, by_value=True, required=True, allow_none=True)
    file_ids = ma.fields.List(ma.fields.UUID(), load_default=list, validate=ma.validate.Length(max=50))


class PreReviewAnswersIn(ma.Schema):
    """Another situation."""

    answers = _answers(required=True)


class ConfirmItemVersionIn(ma.Schema):
    """The version that was shown, with answers where it asks new questions."""

    version_id = ma.fields.UUID(required=True)
    answers = _answers(load_default=None)


@blp.post("")
@access.citizen(level=LEVEL, limit=STARTS, acts=Action.SUBMIT)
@run_once
@blp.arguments(StartPreReviewIn)
@blp.response(201, PreReviewOut)
def start(data: dict[str, Any]) -> Detail:
    """Open a draft with the exact list of materials."""
    with transaction() as session:
        made = service.start(session, actor=access.citizen_actor(), **data)
        return queries.detail(session, made, clock.now())


@blp.get("")
@access.citizen(level=LEVEL, acts=Action.VIEW)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(PreReviewSummaryOut))
def list_prereviews(args: dict[str, Any]) -> Page[PreReview]:
    """List my pre-reviews."""
    with transaction() as session:
        return queries.page_of_actor(session, access.citizen_actor(), args)


@blp.get("/<uuid:prereview_id>")
@access.citizen(level=LEVEL, acts=Action.VIEW)
@blp.response(200, PreReviewOut)
def get_prereview(prereview_id: UUID) -> Detail:
    """Show one of my pre-reviews with its materials and verdicts."""
    with transaction() as session:
        found = queries.seen(session, prereview_id, access.citizen_actor())
        return queries.detail(session, found, clock.now())


@blp.delete("/<uuid:prereview_id>")
@access.citizen(level=LEVEL, acts=Action.SUBMIT)
@blp.response(204)
def discard(prereview_id: UUID) -> None:
    """Delete a draft."""
    with transaction() as session:
        service.discard(session, actor=access.citizen_actor(), prereview_id=prereview_id)


@blp.put("/<uuid:prereview_id>/materials/<int:no>")
@access.citizen(level=LEVEL, acts=(Action.SUBMIT, Action.CORRECT))
@blp.arguments(SetPreReviewMaterialIn)
@blp.response(200, PreReviewOut)
def set_material(data: dict[str, Any], prereview_id: UUID, no: int) -> Detail:
    """Say how a material is provided, with its files."""
    with transaction() as session:
        made = service.set_material(session, actor=access.citizen_actor(), prereview_id=prereview_id, no=no, **data)
        return queries.detail(session, made, clock.now())


@blp.put("/<uuid:prereview_id>/answers")
@access.citizen(level=LEVEL, acts=(Action.SUBMIT, Action.CORRECT))
@blp.arguments(PreReviewAnswersIn)
@blp.response(200, PreReviewOut)
def change_answers(data: dict[str, Any], prereview_id: UUID) -> Detail:
    """Choose another situation; materials that stay keep their files."""
    with transaction() as session:
        made = service.change_answers(session, actor=access.citizen_actor(), prereview_id=prereview_id, **data)
        return queries.detail(session, made, clock.now())


@blp.post("/<uuid:prereview_id>/confirm-version")
@access.citizen(level=LEVEL, acts=(Action.SUBMIT, Action.CORRECT))
@blp.arguments(ConfirmItemVersionIn)
@blp.response(200, PreReviewOut)
def confirm_version(data: dict[str, Any], prereview_id: UUID) -> Detail:
    """Take over the item's new version after seeing what it changes."""
    with transaction() as session:
        made = service.confirm_version(session, actor=access.citizen_actor(), prereview_id=prereview_id, **data)
        return queries.detail(session, made, clock.now())


@blp.post("/<uuid:prereview_id>/submit")
@access.citizen(level=LEVEL, acts=(Action.SUBMIT, Action.CORRECT))
@run_once
@blp.response(200, PreReviewOut)
def submit(prereview_id: UUID) -> Detail:
    """Submit the papers for pre-review, the first time or after a notice."""
    with transaction() as session:
        made = service.submit(session, actor=access.citizen_actor(), prereview_id=prereview_id)
        return queries.detail(session, made, clock.now())


@blp.post("/<uuid:prereview_id>/withdraw")
@access.citizen(level=LEVEL, acts=Action.SUBMIT)
@blp.response(200, PreReviewOut)
def withdraw(prereview_id: UUID) -> Detail:
    """Withdraw a submitted pre-review that no clerk is working on."""
    with transaction() as session:
        made = service.withdraw(session, actor=access.citizen_actor(), prereview_id=prereview_id)
        return queries.detail(session, made, clock.now())
