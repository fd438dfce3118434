"""Uploading papers and opening one's own."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import marshmallow as ma
from flask import Response, send_file, url_for
from flask_smorest.fields import Upload

from casework.files import service
from casework.files.models import StoredFile
from casework.files.service import Link
from core.actors import Action
from core.db import transaction
from core.limits import Limit
from core.web import access
from core.web.blueprint import Blueprint
from core.web.schemas import Moment, Text

blp = Blueprint("files", __name__, url_prefix="/api/v1/files", description="材料文件 / Files")

UPLOADS = Limit("files.upload", 200, 3600)
OPENINGS = Limit("files.content", 300, 60)


class FileUploadIn(ma.Schema):
    """One file, as multipart/form-data."""

    file = Upload(required=True, metadata={"format": "binary", "description": "JPG, PNG, PDF or OFD, at most 10 MB"})


class FileOut(ma.Schema):
    """A stored file, typed by its content."""

    id = ma.fields.UUID(required=True)
    media_type = ma.fields.String(required=True)
    size = ma.fields.Integer(required=True, metadata={"description": "Bytes"})
    pages = ma.fields.Integer(required=True)
    digest = ma.fields.Function(lambda stored: stored.digest.hex(), required=True)
    created_at = Moment(required=True)


class FileLinkOut(ma.Schema):
    """Where the file can be opened until the link expires."""

    url = ma.fields.Method("_url", required=True)
    expires_at = Moment(required=True)

    def _url(self, link: Link) -> str:
        marked = {"mark": link.mark} if link.mark else {}
        return url_for("files.content", file_id=link.file_id) + "?" + urlencode({"token": link.token, **marked})


class FileLinkIn(ma.Schema):
    """The token of a signed link, and the mark that it covers."""

    token = Text(100, required=True)
    mark = Text(100, load_default="")


@blp.post("")
@access.citizen(level=1, limit=UPLOADS, acts=(Action.SUBMIT, Action.CORRECT))
@blp.arguments(FileUploadIn, location="files")
@blp.response(200, FileOut)
def upload(data: dict[str, Any]) -> StoredFile:
    """Upload a paper; the same content again gives the same file."""
    sent = data["file"]
    with transaction() as session:
        return service.upload(session, actor=access.citizen_actor(), stream=sent.stream, filename=sent.filename or "")


@blp.get("/<uuid:file_id>/link")
@access.citizen(level=1, acts=(Action.SUBMIT, Action.CORRECT, Action.VIEW))
@blp.response(200, FileLinkOut)
def link(file_id: UUID) -> Link:
    """Get a link to one of my files, good for five minutes."""
    with transaction() as session:
        return service.link(session, actor=access.citizen_actor(), file_id=file_id)


@blp.get("/content/<uuid:file_id>")
@access.public("the signed token in the link is the permission", limit=OPENINGS)
@blp.arguments(FileLinkIn, location="query")
@blp.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def content(data: dict[str, Any], file_id: UUID) -> Response:
    """Open a file by its signed link."""
    with transaction() as session:
        found = service.open_link(session, file_id=file_id, **data)
    kind, opened = found.media_type, io.BytesIO(found.content())
    return send_file(opened, kind, as_attachment=not kind.is_image, download_name=f"{file_id}{kind.suffix}", max_age=0)
