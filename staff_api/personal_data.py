"""Requests for correction and explanation, for the registrar at the counter (P-4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.personal_data.corrections import queries, service
from auth.personal_data.corrections.models import CorrectionRequest
from auth.personal_data.corrections.rules import Kind, State
from auth.staff.roles import FRONT_CLERK, HALL_MANAGER
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Code, Moment, Text

blp = Blueprint(
    "staff_personal_data",
    __name__,
    url_prefix="/staff/v1/correction-requests",
    description="个人信息更正 / Corrections (staff)",
)


class DataRequestAnswerIn(ma.Schema):
    """The answer, and whether it was corrected or explained."""

    done = ma.fields.Boolean(required=True)
    answer = Text(1000, lines=True, required=True)


class DataRequestRowOut(ma.Schema):
    """A request in the queue, without what was written."""

    id = ma.fields.UUID(required=True)
    kind = Code(Kind, required=True)
    matter_number = ma.fields.String(required=True)
    state = Code(State, required=True)
    created_at = Moment(required=True)
    due_at = Moment(required=True)


class StaffDataRequestOut(DataRequestRowOut):
    """A request that the registrar has taken."""

    subject_id = ma.fields.UUID(required=True)
    wish = ma.fields.String(required=True)
    answer = ma.fields.String(required=True, allow_none=True)


@blp.get("")
@access.staff(FRONT_CLERK, HALL_MANAGER)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(DataRequestRowOut))
def waiting(args: dict[str, Any]) -> Page[CorrectionRequest]:
    """List the requests that wait for an answer, the oldest first."""
    with transaction() as session:
        return queries.queue(session, args)


@blp.post("/<uuid:request_id>/take")
@access.staff(FRONT_CLERK)
@blp.response(200, StaffDataRequestOut)
def take(request_id: UUID) -> CorrectionRequest:
    """Take a request and read it."""
    with transaction() as session:
        return service.take(session, actor=access.staff_actor(), request_id=request_id)


@blp.post("/<uuid:request_id>/give-back")
@access.staff(FRONT_CLERK)
@blp.response(200, DataRequestRowOut)
def give_back(request_id: UUID) -> CorrectionRequest:
    """Let colleagues have a request."""
    with transaction() as session:
        return service.give_back(session, actor=access.staff_actor(), request_id=request_id)


@blp.post("/<uuid:request_id>/answer")
@access.staff(FRONT_CLERK)
@blp.arguments(DataRequestAnswerIn)
@blp.response(200, StaffDataRequestOut)
def answer(data: dict[str, Any], request_id: UUID) -> CorrectionRequest:
    """Answer a request that I have taken."""
    with transaction() as session:
        return service.answer(
            session, actor=access.staff_actor(), request_id=request_id, done=data["done"], text=data["answer"]
        )
