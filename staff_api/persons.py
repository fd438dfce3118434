"""Looking a citizen up, with a matter of theirs in hand (P-5)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from auth.staff.roles import BACK_OFFICER, FRONT_CLERK
from casework.persons import service
from casework.persons.rules import Reference
from casework.persons.service import Seen
from core.db import transaction
from core.identifiers import DocumentType
from core.web import access
from core.web.request_context import language
from core.web.schemas import Text

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


@blp.post("/look-up")
@access.staff(FRONT_CLERK, BACK_OFFICER)
@blp.arguments(PersonLookUpIn)
@blp.response(200, SeenOut)
def look_up(data: dict[str, Any]) -> Seen:
    """Look a citizen up; every look is recorded, one without a matter as an anomaly."""
    with transaction() as session:
        outcome = service.look_up(session, actor=access.staff_actor(), **data)
    return outcome.insist()
