"""The audit log, for the audit administrator alone (2.7)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from auth.staff.audits import queries
from auth.staff.confirmations.rules import Act
from auth.staff.roles import AUDIT_ADMIN
from core import audit
from core.audit import AuditEntry
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment, Text

blp = Blueprint("staff_audit", __name__, url_prefix="/staff/v1/audit", description="审计日志 / Audit log")


class AuditQueryIn(PageIn):
    """What to look for in the audit log: what was done to one object, or the newest."""

    object_id = Text(100, load_default=None)
    anomalies = ma.fields.Boolean(load_default=False, metadata={"description": "Only what was noted as unusual (P-5)"})


class AuditEntryOut(ma.Schema):
    """A row of the audit log. It holds no personal data."""

    seq = ma.fields.Integer(required=True)
    at = Moment(required=True)
    actor = ma.fields.String(required=True)
    on_behalf_of = ma.fields.String(required=True, allow_none=True)
    action = ma.fields.String(required=True)
    object_type = ma.fields.String(required=True)
    object_id = ma.fields.String(required=True)
    result = ma.fields.String(required=True)
    request_id = ma.fields.String(required=True, allow_none=True)
    address = ma.fields.String(required=True, allow_none=True)
    facts = ma.fields.Dict(required=True)


@blp.get("")
@access.staff(AUDIT_ADMIN, confirm=Act.EXPORT)
@blp.arguments(AuditQueryIn, location="query")
@blp.response(200, page_out(AuditEntryOut))
def read_audit(args: dict[str, Any]) -> Page[AuditEntry]:
    """Read the audit log, the newest first; the reading is logged too."""
    actor = access.staff_actor()
    with transaction() as session:
        found = queries.page(session, args)
        audit.record(session, actor=actor, action="audit.read", object_type="audit", object_id=args["object_id"] or "-")
        return found
