"""How the national elements of an item look in its guide (DOMAIN 2.2)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import OneOf

from casework.catalogue.elements.rules import ServeScope
from core.workdays import Unit

_text = ma.fields.String
_flag = ma.fields.Boolean


def _known(values: Any) -> ma.fields.String:
    return ma.fields.String(required=True, validate=OneOf([str(value) for value in values]))


class SubItemOut(ma.Schema):
    """业务办理项."""

    no = ma.fields.Integer(required=True)
    code = _text(required=True)
    name = _text(required=True)
    note = _text(required=True)


class FlowStepOut(ma.Schema):
    """A step of the flow; `days` are working days."""

    no = ma.fields.Integer(required=True)
    name = _text(required=True)
    owner = _text(required=True)
    days = ma.fields.Integer(allow_none=True, required=True)
    standard = _text(required=True)
    result = _text(required=True)


class SpecialProcedureOut(ma.Schema):
    """A special procedure; `counted`: it counts in the legal limit."""

    no = ma.fields.Integer(required=True)
    name = _text(required=True)
    days = ma.fields.Integer(allow_none=True, required=True)
    unit = _known(Unit)
    law = _text(required=True)
    is_fee = _flag(required=True)
    counted = _flag(required=True)


class ResultSampleOut(ma.Schema):
    """A sample of the result."""

    no = ma.fields.Integer(required=True)
    name = _text(required=True)
    file = _text(required=True)


class CommonQuestionOut(ma.Schema):
    """A common question."""

    no = ma.fields.Integer(required=True)
    question = _text(required=True)
    answer = _text(required=True)


class ElementsOut(ma.Schema):
    """The other national elements; codes as the provincial library writes them."""

    local_catalog_code = _text(required=True)
    local_task_code = _text(required=True)
    handle_item_code = _text(required=True)
    authority_code = _text(required=True)
    authority_type = _text(required=True)
    power_source = _text(required=True)
    use_levels = ma.fields.List(_text(), required=True)
    joint_departments = ma.fields.List(_text(), required=True)
    intermediary = _text(required=True)
    quantity_limit = _text(required=True)
    result_type = _text(required=True)
    fee_basis = _text(required=True)
    handle_forms = ma.fields.List(_text(), required=True)
    online_depths = ma.fields.List(_text(), required=True)
    trips_reason = _text(required=True)
    online = _flag(required=True)
    self_service = _flag(required=True)
    in_hall = _flag(required=True)
    daily_bookings = ma.fields.Integer(allow_none=True, required=True)
    booking_rule = _text(required=True)
    serve_scope = _known(ServeScope)
    mobile_url = _text(required=True)
    mobile_single_sign_on = _flag(required=True)
    paused = _flag(required=True)
    pause_reason = _text(required=True)
    sub_items = ma.fields.List(ma.fields.Nested(SubItemOut), required=True)
    steps = ma.fields.List(ma.fields.Nested(FlowStepOut), required=True)
    special_procedure_rows = ma.fields.List(ma.fields.Nested(SpecialProcedureOut), required=True)
    result_samples = ma.fields.List(ma.fields.Nested(ResultSampleOut), required=True)
    common_questions = ma.fields.List(ma.fields.Nested(CommonQuestionOut), required=True)
