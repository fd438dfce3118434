"""Bills issued by clerks (PY-1): the citizen never types an amount."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from auth.staff.roles import FRONT_CLERK
from casework.counter import service as counter
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.schemas import Fen, Moment, Whole
from payments.bills.models import FeeBill

blp = Blueprint("staff_bills", __name__, url_prefix="/staff/v1/bills", description="缴款单 / Bills (staff)")


class BillIn(ma.Schema):
    """What is billed, for a passed pre-review or an accepted case."""

    prereview_id = ma.fields.UUID(load_default=None)
    case_id = ma.fields.UUID(load_default=None)
    quantities = ma.fields.Dict(
        keys=Whole(1, 200, strict=False),
        values=Whole(0, 1000),
        required=True,
        validate=ma.validate.Length(1, 50),
        metadata={"description": "Fee line number of the item → how many"},
    )

    @ma.validates_schema
    def _one_matter(self, data: dict[str, Any], **_: Any) -> None:
        if (data["prereview_id"] is None) == (data["case_id"] is None):
            raise ma.ValidationError("prereview_id 与 case_id 必须且只能填一个 / give exactly one", "prereview_id")


class IssuedBillOut(ma.Schema):
    """An issued bill."""

    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    payee = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    total_fen = Fen(required=True)
    expires_at = Moment(required=True)


class IssuedBillsOut(ma.Schema):
    """One bill per payee (PY-3)."""

    bills = ma.fields.List(ma.fields.Nested(IssuedBillOut), required=True)


@blp.post("")
@access.staff(FRONT_CLERK)
@run_once
@blp.arguments(BillIn)
@blp.response(201, IssuedBillsOut)
def issue(data: dict[str, Any]) -> dict[str, list[FeeBill]]:
    """Issue the bills of a passed pre-review or an accepted case."""
    actor, quantities = access.staff_actor(), data["quantities"]
    with transaction() as session:
        if data["prereview_id"] is not None:
            made = counter.bill_prereview(
                session, actor=actor, prereview_id=data["prereview_id"], quantities=quantities
            )
        else:
            made = counter.bill_case(session, actor=actor, case_id=data["case_id"], quantities=quantities)
    return {"bills": made}
