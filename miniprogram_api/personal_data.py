"""Rights over one's own data: copy, correction, explanation, closing the account (P-4)."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import marshmallow as ma
from flask import Response, send_file, url_for

from auth.personal_data.closing import queries as closings
from auth.personal_data.closing import service as closing
from auth.personal_data.closing.models import AccountClosing
from auth.personal_data.closing.queries import Prospect
from auth.personal_data.corrections import queries as requests
from auth.personal_data.corrections import service as corrections
from auth.personal_data.corrections.models import CorrectionRequest
from auth.personal_data.corrections.rules import LABELS, Kind, State
from auth.personal_data.exports import queries, service
from auth.personal_data.exports import rules as exports
from auth.personal_data.exports.models import DataExport
from auth.personal_data.exports.service import Link
from core.db import transaction
from core.limits import Limit
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.request_context import language
from core.web.schemas import Code, Moment, Text

blp = Blueprint("personal_data", __name__, url_prefix="/api/v1/personal-data", description="个人信息权利 / My data")

OPENINGS = Limit("data-export-openings", 20, 60)
REQUESTS = Limit("correction-requests", 10, 86_400)


class DataExportOut(ma.Schema):
    """A copy of one's data, or the making of one."""

    id = ma.fields.UUID(required=True)
    state = Code(exports.State, required=True)
    requested_at = Moment(required=True)
    ready_at = Moment(required=True, allow_none=True)
    expires_at = Moment(required=True)
    size = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "Bytes of the zip"})


class DataExportLinkOut(ma.Schema):
    """Where the zip can be opened until the link expires."""

    url = ma.fields.Method("_url", required=True)
    expires_at = Moment(required=True)

    def _url(self, link: Link) -> str:
        return url_for("personal_data.content", export_id=link.export_id) + "?" + urlencode({"token": link.token})


class DataExportLinkIn(ma.Schema):
    """The token of a signed link."""

    token = Text(100, required=True)


class DataRequestIn(ma.Schema):
    """What is wrong or unclear; `matter_number` for CASE_DATA and EXPLAIN_DECISION only."""

    kind = ma.fields.Enum(Kind, by_value=True, required=True)
    wish = Text(1000, lines=True, required=True)
    matter_number = Text(50, load_default="")


class DataRequestOut(ma.Schema):
    """A request and its answer."""

    id = ma.fields.UUID(required=True)
    kind = Code(Kind, required=True)
    matter_number = ma.fields.String(required=True)
    wish = ma.fields.String(required=True)
    state = Code(State, required=True)
    state_label = ma.fields.Function(lambda one: LABELS[State(one.state)][language() == "en"], required=True)
    created_at = Moment(required=True)
    due_at = Moment(required=True)
    answer = ma.fields.String(required=True, allow_none=True)
    closed_at = Moment(required=True, allow_none=True)


class OpenMatterOut(ma.Schema):
    """Something unfinished that keeps the account open."""

    kind = ma.fields.String(required=True)
    number = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    state = ma.fields.Function(lambda one: one.state[language() == "en"], required=True)


class ProspectOut(ma.Schema):
    """What stands in the way of closing, and the closing that runs, if one does."""

    open_matters = ma.fields.List(ma.fields.Nested(OpenMatterOut), required=True)
    cooling_days = ma.fields.Integer(required=True)
    asked_at = Moment(required=True, allow_none=True)
    effective_at = Moment(required=True, allow_none=True)


class ClosingOut(ma.Schema):
    """A closing that runs; until `effective_at` it can be called off."""

    id = ma.fields.UUID(required=True)
    asked_at = Moment(required=True)
    effective_at = Moment(required=True)


@blp.get("/exports")
@access.citizen(level=2)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(DataExportOut))
def data_exports(args: dict[str, Any]) -> Page[DataExport]:
    """List the copies of my data, the newest first."""
    with transaction() as session:
        return queries.page(session, access.citizen_actor().subject_id, args)


@blp.post("/exports")
@access.citizen(level=3)
@run_once
@blp.response(202, DataExportOut)
def request_export() -> DataExport:
    """Ask for a copy of everything that is known of me."""
    with transaction() as session:
        return service.request(session, actor=access.citizen_actor())


@blp.post("/exports/<uuid:export_id>/link")
@access.citizen(level=3)
@blp.response(200, DataExportLinkOut)
def export_link(export_id: UUID) -> Link:
    """Get a link to a copy, good for five minutes."""
    with transaction() as session:
        return service.link(session, actor=access.citizen_actor(), export_id=export_id)


@blp.get("/exports/content/<uuid:export_id>")
@access.public("the signed token in the link is the permission", limit=OPENINGS)
@blp.arguments(DataExportLinkIn, location="query")
@blp.response(200, {"type": "string", "format": "binary"}, content_type="application/zip")
def content(data: dict[str, Any], export_id: UUID) -> Response:
    """Download a copy by its signed link."""
    with transaction() as session:
        packed = service.open_link(session, export_id=export_id, token=data["token"])
    return send_file(io.BytesIO(packed), "application/zip", as_attachment=True, download_name="my-data.zip", max_age=0)


@blp.get("/requests")
@access.citizen(level=2)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(DataRequestOut))
def correction_requests(args: dict[str, Any]) -> Page[CorrectionRequest]:
    """List my requests for correction or explanation."""
    with transaction() as session:
        return requests.page_of_person(session, access.citizen_actor().subject_id, args)


@blp.post("/requests")
@access.citizen(level=2, limit=REQUESTS)
@run_once
@blp.arguments(DataRequestIn)
@blp.response(201, DataRequestOut)
def request_correction(data: dict[str, Any]) -> CorrectionRequest:
    """Ask for a correction, or for a decision to be explained."""
    with transaction() as session:
        return corrections.request(session, actor=access.citizen_actor(), **data)


@blp.delete("/requests/<uuid:request_id>")
@access.citizen(level=2)
@blp.response(200, DataRequestOut)
def withdraw_request(request_id: UUID) -> CorrectionRequest:
    """Withdraw a request."""
    with transaction() as session:
        return corrections.withdraw(session, actor=access.citizen_actor(), request_id=request_id)


@blp.get("/closing")
@access.citizen(level=2)
@blp.response(200, ProspectOut)
def closing_prospect() -> Prospect:
    """Show what closing my account would take."""
    with transaction() as session:
        return closings.prospect(session, access.citizen_actor().subject_id)


@blp.post("/closing")
@access.citizen(level=3)
@run_once
@blp.response(202, ClosingOut)
def close_account() -> AccountClosing:
    """Ask for my account to be closed (level 4, purpose CLOSE_ACCOUNT)."""
    with transaction() as session:
        return closing.ask(session, actor=access.citizen_actor())


@blp.delete("/closing")
@access.citizen(level=2)
@blp.response(204)
def keep_account() -> None:
    """Call the closing of my account off."""
    with transaction() as session:
        closing.call_off(session, actor=access.citizen_actor())
