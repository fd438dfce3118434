"""Who of the staff looked me up (P-5)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from casework.persons.emergencies.rules import Verdict
from casework.persons.looks import queries
from casework.persons.looks.queries import Look
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment

blp = Blueprint("looks", __name__, url_prefix="/api/v1/account", description="谁查看过我 / Looks by staff")


class LookOut(ma.Schema):
    """A member of staff looked me up: when, in which hall, why, and for an emergency what the review found."""

    at = Moment(required=True)
    reason = ma.fields.String(
        required=True, metadata={"description": "CASE, APPOINTMENT or TICKET that was in hand, or EMERGENCY"}
    )
    hall = ma.fields.String(required=True, allow_none=True)
    verdict = ma.fields.Enum(Verdict, by_value=True, required=True, allow_none=True)


@blp.get("/looks")
@access.citizen(level=2)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(LookOut))
def looks(args: dict[str, Any]) -> Page[Look]:
    """List when members of staff looked me up, the newest first."""
    with transaction() as session:
        return queries.of_person(session, access.citizen_actor().subject_id, args)
