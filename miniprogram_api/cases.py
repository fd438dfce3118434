"""A citizen's own cases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from casework.cases import queries, service
from casework.cases.collection import service as collection
from casework.cases.models import ServiceCase
from casework.cases.rules import LABELS, NEXT_STEPS, REMEDY, State
from core.actors import Action, Capacity
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.request_context import language
from core.web.schemas import Code, Moment

blp = Blueprint("cases", __name__, url_prefix="/api/v1/cases", description="办件 / Cases")

CITIZEN_LEVEL = 2


def _in_language(texts: tuple[str, str]) -> str:
    return texts[language() == "en"]


class CaseSummaryOut(ma.Schema):
    """A line of the list."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    item_id = ma.fields.String(required=True)
    item_name = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    state_label = ma.fields.Method("_label", required=True)
    received_at = Moment(required=True)
    due_on = ma.fields.Date(required=True, allow_none=True)
    due_provisional = ma.fields.Function(lambda case: case.due_status == "PROVISIONAL", required=True)
    next_step = ma.fields.Method("_next", required=True)

    def _label(self, case: ServiceCase) -> str:
        return _in_language(LABELS[State(case.state)])

    def _next(self, case: ServiceCase) -> str:
        return _in_language(NEXT_STEPS.get(State(case.state), ("", "")))


class StepOut(ma.Schema):
    """A step of the timeline (QY-5): the department, never the person."""

    at = Moment(required=True)
    state = ma.fields.String(attribute="to_state", required=True)
    state_label = ma.fields.Function(lambda move: _in_language(LABELS[State(move.to_state)]), required=True)
    department = ma.fields.String(required=True)
    note = ma.fields.String(attribute="public_note", required=True)
    acted_by = Code(
        Capacity, required=True, allow_none=True, metadata={"description": "As what a citizen did this step (DG-2)"}
    )


class PauseOut(ma.Schema):
    """A special procedure; its days don't count (K-5)."""

    name = ma.fields.String(required=True)
    started_on = ma.fields.Date(required=True)
    ended_on = ma.fields.Date(required=True, allow_none=True)


class CorrectionOut(ma.Schema):
    """The one-time notice of what is missing (C-4)."""

    defects = ma.fields.List(ma.fields.String(), required=True)
    due_on = ma.fields.Date(required=True)
    answered_at = Moment(required=True, allow_none=True)


class RefusalOut(ma.Schema):
    """Why it was refused, and what can be done about it (C-3)."""

    reason = ma.fields.String(required=True)
    clause = ma.fields.String(required=True)
    remedy = ma.fields.String(required=True)


class CaseOut(CaseSummaryOut):
    """A case with its timeline."""

    accept_hall_id = ma.fields.UUID(required=True)
    issue_hall_id = ma.fields.UUID(required=True, metadata={"description": "Where the result can be collected"})
    accepted_on = ma.fields.Date(required=True, allow_none=True)
    deemed_accepted = ma.fields.Boolean(attribute="deemed", required=True)
    legal_due_on = ma.fields.Date(required=True, allow_none=True)
    result_name = ma.fields.String(required=True)
    result_number = ma.fields.String(required=True)
    issue_due_on = ma.fields.Date(required=True, allow_none=True)
    delivered_at = Moment(required=True, allow_none=True)
    timeline = ma.fields.Function(lambda case: StepOut(many=True).dump(queries.public_timeline(case)), required=True)
    pauses = ma.fields.List(ma.fields.Nested(PauseOut), required=True)
    corrections = ma.fields.List(ma.fields.Nested(CorrectionOut), required=True)
    refusal = ma.fields.Method("_refusal", required=True, allow_none=True)

    def _refusal(self, case: ServiceCase) -> Any:
        if not case.refusal_reason:
            return None
        return RefusalOut().dump({"reason": case.refusal_reason, "clause": case.refusal_clause, "remedy": REMEDY})


class CollectionHallIn(ma.Schema):
    """The hall to collect the result in."""

    hall_id = ma.fields.UUID(required=True)


class AnswerCorrectionIn(ma.Schema):
    """The papers that answer a correction notice."""

    file_ids = ma.fields.List(ma.fields.UUID(), required=True, validate=ma.validate.Length(1, 50))


@blp.get("")
@access.citizen(level=CITIZEN_LEVEL, acts=Action.VIEW)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(CaseSummaryOut))
def list_cases(args: dict[str, Any]) -> Page[ServiceCase]:
    """List my cases."""
    with transaction() as session:
        return queries.page_of_actor(session, access.citizen_actor(), args)


@blp.get("/<uuid:case_id>")
@access.citizen(level=CITIZEN_LEVEL, acts=Action.VIEW)
@blp.response(200, CaseOut)
def get_case(case_id: UUID) -> ServiceCase:
    """Show one of my cases with its timeline."""
    with transaction() as session:
        return queries.seen(session, case_id, access.citizen_actor())


@blp.post("/<uuid:case_id>/withdraw")
@access.citizen(level=CITIZEN_LEVEL, acts=Action.SUBMIT)
@blp.response(200, CaseOut)
def withdraw(case_id: UUID) -> ServiceCase:
    """Withdraw a case before its decision."""
    actor = access.citizen_actor()
    with transaction() as session:
        service.withdraw(session, actor=actor, case_id=case_id)
        session.flush()
        return queries.owned(session, case_id, actor.owner_id)


@blp.put("/<uuid:case_id>/collection-hall")
@access.citizen(level=CITIZEN_LEVEL, acts=Action.COLLECT)
@blp.arguments(CollectionHallIn)
@blp.response(200, CaseOut)
def choose_hall(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Choose the hall to collect the result in, until it is being issued."""
    actor = access.citizen_actor()
    with transaction() as session:
        collection.choose_hall(session, actor=actor, case_id=case_id, hall_id=data["hall_id"])
        session.flush()
        return queries.owned(session, case_id, actor.owner_id)


@blp.post("/<uuid:case_id>/correction")
@access.citizen(level=CITIZEN_LEVEL, acts=Action.CORRECT)
@blp.arguments(AnswerCorrectionIn)
@blp.response(200, CaseOut)
def answer_correction(data: dict[str, Any], case_id: UUID) -> ServiceCase:
    """Answer the correction notice with the missing papers."""
    actor = access.citizen_actor()
    with transaction() as session:
        service.answer_correction(session, actor=actor, case_id=case_id, file_ids=data["file_ids"])
        session.flush()
        return queries.owned(session, case_id, actor.owner_id)
