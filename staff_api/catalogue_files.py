"""The catalogue as files: item managers send what changes, look at its progress, and take out what is in force."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, send_file
from flask_smorest.fields import Upload

from auth.staff.roles import ITEM_MANAGER
from casework.catalogue.exporting import service as exporting
from casework.catalogue.importing.reading.service import Format
from casework.catalogue.importing.uploads import queries, service
from casework.catalogue.importing.uploads.models import CatalogueImport, ImportState
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment

blp = Blueprint(
    "staff_catalogue_files",
    __name__,
    url_prefix="/staff/v1/catalogue",
    description="事项文件 / Catalogue files (staff)",
)

_BINARY = {"type": "string", "format": "binary"}


class CatalogueFileIn(ma.Schema):
    """One file, as multipart/form-data."""

    file = Upload(
        required=True, metadata={"format": "binary", "description": ".xlsx, .json or a zip of tables, at most 10 MB"}
    )


class ImportFaultOut(ma.Schema):
    """What is wrong, where, and how to mend it. `row` counts from 1."""

    code = ma.fields.String(required=True)
    path = ma.fields.String(required=True)
    sheet = ma.fields.String(required=True)
    row = ma.fields.Integer(required=True, allow_none=True)
    column = ma.fields.String(required=True)
    problem = ma.fields.String(required=True)
    mend = ma.fields.String(required=True)


class CatalogueImportOut(ma.Schema):
    """A file and what became of it. `changed`: how many drafts it made; 0 when DONE: nothing in it differs."""

    id = ma.fields.UUID(required=True)
    filename = ma.fields.String(required=True)
    state = ma.fields.String(required=True, validate=ma.validate.OneOf([state.value for state in ImportState]))
    step = ma.fields.String(required=True)
    done = ma.fields.Integer(required=True)
    total = ma.fields.Integer(required=True)
    items = ma.fields.Integer(required=True)
    changed = ma.fields.Integer(required=True)
    fault_count = ma.fields.Integer(required=True)
    created_at = Moment(required=True)
    finished_at = Moment(required=True, allow_none=True)


class CatalogueImportDetailOut(CatalogueImportOut):
    """With the faults; the first 500."""

    faults = ma.fields.List(ma.fields.Nested(ImportFaultOut), required=True)


class CatalogueExportIn(ma.Schema):
    """In which format."""

    format = ma.fields.Enum(Format, by_value=True, load_default=Format.EXCEL)


@blp.post("/imports")
@access.staff(ITEM_MANAGER)
@blp.arguments(CatalogueFileIn, location="files")
@blp.response(202, CatalogueImportOut)
def send(data: dict[str, Any]) -> CatalogueImport:
    """Send a file of my department's items; what differs becomes drafts."""
    file = data["file"]
    with transaction() as session:
        return service.take_in(session, actor=access.staff_actor(), stream=file.stream, filename=file.filename or "")


@blp.get("/imports")
@access.staff(ITEM_MANAGER)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(CatalogueImportOut))
def imports(args: dict[str, Any]) -> Page[CatalogueImport]:
    """List the files that my department sent."""
    with transaction() as session:
        return queries.page(session, access.staff_actor(), args)


@blp.get("/imports/<uuid:import_id>")
@access.staff(ITEM_MANAGER)
@blp.response(200, CatalogueImportDetailOut)
def one_import(import_id: UUID) -> CatalogueImport:
    """Show how far a file has got, and its faults."""
    with transaction() as session:
        return queries.sent(session, access.staff_actor(), import_id)


@blp.get("/export")
@access.staff(ITEM_MANAGER)
@blp.arguments(CatalogueExportIn, location="query")
@blp.response(200, _BINARY, content_type="application/octet-stream")
def export(args: dict[str, Any]) -> Response:
    """Take out my department's items in force."""
    made = io.BytesIO()
    with transaction() as session:
        department = access.staff_actor().department_id or ""
        exporting.export(session, made, args["format"], day=clock.today(), department_id=department)
    return _attached(made, f"items{exporting.SUFFIXES[args['format']]}")


@blp.get("/template")
@access.staff(ITEM_MANAGER)
@blp.response(200, _BINARY, content_type="application/octet-stream")
def template() -> Response:
    """Take out the empty workbook to fill in."""
    made = io.BytesIO()
    exporting.template(made)
    return _attached(made, "template.xlsx")


def _attached(made: io.BytesIO, name: str) -> Response:
    made.seek(0)
    return send_file(made, mimetype="application/octet-stream", as_attachment=True, download_name=name)
