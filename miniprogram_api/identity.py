"""Proving who one is."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from auth.identity import service
from auth.identity.service import Outcome
from auth.identity.ways import rules
from core.db import transaction
from core.web import access
from core.web.schemas import Moment, Text
from miniprogram_api.login import FreshOut

blp = Blueprint("identity", __name__, url_prefix="/api/v1/identity", description="实名认证 / Identity")


class NameAndNumberIn(ma.Schema):
    """Name and number as they stand on the document. Types by GA/T 2000.156."""

    name = Text(200, required=True)
    document_type = ma.fields.String(required=True, validate=ma.validate.OneOf(rules.ONLINE_DOCUMENTS))
    document_number = Text(60, required=True)


class IdentityOut(ma.Schema):
    """MATCH, or REVIEW: a person at the source looks at it, the level stays, ask again from `look_again_at` on."""

    result = ma.fields.String(required=True, validate=ma.validate.OneOf(("MATCH", "REVIEW")))
    level = ma.fields.Integer(required=True)
    look_again_at = Moment(required=True, allow_none=True)
    token = ma.fields.Nested(FreshOut, required=True, metadata={"description": "An access token at this level"})


@blp.post("/name-and-number")
@access.citizen(level=1)
@blp.arguments(NameAndNumberIn)
@blp.response(200, IdentityOut)
def name_and_number(data: dict[str, Any]) -> Outcome:
    """Prove who I am by name and document number."""
    actor = access.citizen_actor()
    answer = service.ask(actor=actor, **data)
    with transaction() as session:
        outcome = service.record_answer(session, actor=actor, answer=answer)
    return outcome.insist()
