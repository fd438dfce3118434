"""Progress of a case without signing in (3.4)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from casework.progress import service
from casework.progress.service import Progress
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import language, request_address
from core.web.schemas import Moment, Text

blp = Blueprint("progress", __name__, url_prefix="/api/v1/progress", description="进度查询 / Progress")


class LookUpIn(ma.Schema):
    """What a person without an account knows."""

    case_number = Text(64, required=True, metadata={"description": "Spaces, hyphens and small letters are fine"})
    name = Text(100, required=True)
    id_tail = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[0-9A-Za-z]{4}\Z"))


class ProgressOut(ma.Schema):
    """Masked progress: no materials, no address, no result."""

    case_number = ma.fields.String(required=True)
    item_name = ma.fields.Method("_item", required=True)
    hall_name = ma.fields.String(required=True)
    applicant = ma.fields.String(required=True, metadata={"description": "Masked"})
    state = ma.fields.String(required=True)
    state_label = ma.fields.Method("_label", required=True)
    last_step_at = Moment(required=True)
    promised_on = ma.fields.Date(required=True, allow_none=True)
    provisional = ma.fields.Boolean(
        required=True,
        metadata={"description": "The date may move: a calendar year it needs isn't published yet (预计)"},
    )
    next_step = ma.fields.Method("_next", required=True)

    def _item(self, progress: Progress) -> str:
        return progress.item_name[language() == "en"]

    def _label(self, progress: Progress) -> str:
        return progress.state_label[language() == "en"]

    def _next(self, progress: Progress) -> str:
        return progress.next_step[language() == "en"]


@blp.post("/lookup")
@access.public("people without an account follow their case by number, name and ID tail")
@blp.arguments(LookUpIn)
@blp.response(200, ProgressOut)
def look_up(data: dict[str, Any]) -> Progress:
    """Look a case up by its number, the applicant's name and the last four characters of the document."""
    with transaction() as session:
        return service.look_up(
            session,
            number=data["case_number"],
            name=data["name"],
            tail=data["id_tail"],
            address=request_address() or "-",
        )
