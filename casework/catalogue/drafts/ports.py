"""The sections of a draft as they come from outside: field by field, unknown ones refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from casework.catalogue.elements.rules import (
    AUTHORITY_TYPES,
    HANDLE_FORMS,
    ONLINE_DEPTHS,
    POWER_SOURCES,
    USE_LEVELS,
    ServeScope,
)
from casework.catalogue.rules import CaseType, MaterialForm, MaterialOrigin, RecipientPolicy, ServiceObject
from casework.catalogue.situations.rules import Effect
from core.errors import InvalidInput, NotFound
from core.web.faults import flat
from core.web.schemas import Text
from core.workdays import Unit

MAX_TEXT = 5_000
MAX_ROWS = 200

_text = partial(Text, MAX_TEXT, shortest=0, lines=True, required=True)
_name = partial(Text, 1_000, required=True)
_flag = partial(ma.fields.Boolean, required=True, truthy={True}, falsy={False})


def _one_of(values: type[StrEnum] | Mapping[str, Any], *, unsaid: bool = False) -> ma.fields.String:
    known = [str(value) for value in values]
    return ma.fields.String(required=True, validate=OneOf([*known, ""] if unsaid else known))


def _code(limit: int = 64, *, empty: bool = True) -> ma.fields.String:
    """An opaque code of the provincial library: never parsed."""
    return ma.fields.String(required=True, validate=Regexp(rf"\A[A-Za-z0-9._-]{{{0 if empty else 1},{limit}}}\Z"))


def _whole(low: int, high: int, *, none: bool = False) -> ma.fields.Integer:
    return ma.fields.Integer(required=True, strict=True, allow_none=none, validate=Range(low, high))


def _list(inner: ma.fields.Field[Any], low: int = 0) -> ma.fields.List[Any]:
    return ma.fields.List(inner, required=True, validate=Length(low, MAX_ROWS))


def _rows(**fields: ma.fields.Field[Any]) -> ma.fields.List[Any]:
    return _list(ma.fields.Nested(ma.Schema.from_dict(dict(fields))))


def _limit() -> ma.fields.Nested:
    return ma.fields.Nested(ma.Schema.from_dict({"value": _whole(0, 1_000), "unit": _one_of(Unit)}), required=True)


_no = partial(_whole, 1, 1_000)
_key = partial(ma.fields.String, required=True, validate=Regexp(r"\A[a-z0-9_]{1,64}\Z"))

SECTIONS: dict[str, dict[str, ma.fields.Field[Any]]] = {
    "basics": {
        "name": _name(), "zone_code": _code(empty=False), "authority": _name(), "catalog_code": _code(32, empty=False),
        "task_code": _code(64, empty=False), "local_catalog_code": _code(50), "local_task_code": _code(50),
        "handle_item_code": _code(50), "type_code": _code(2, empty=False), "type_name": _name(),
        "case_type": _one_of(CaseType), "use_level": _name(), "use_levels": _list(_one_of(USE_LEVELS)),
        "authority_code": _code(18), "authority_type": _one_of(AUTHORITY_TYPES, unsaid=True),
        "power_source": _one_of(POWER_SOURCES, unsaid=True), "service_objects": _list(_one_of(ServiceObject), 1),
        "joint_departments": _list(_name()), "joint_topics": _list(_code(empty=False)), "intermediary": _text(),
        "quantity_limit": _text(), "serve_scope": _one_of(ServeScope), "sensitive": _flag(), "hot": _flag(),
        "sub_items": _rows(no=_no(), code=_code(50, empty=False), name=_name(), note=_text()),
    },
    "law": {
        "legal_basis": _rows(name=_name(), clause=_text()), "legal_limit": _limit(), "legal_limit_note": _text(),
        "promised_limit": _limit(), "promised_limit_note": _text(), "conditions": _text(), "special_procedures": _text(),
        "special_procedure_rows": _rows(
            no=_no(), name=_name(), days=_whole(0, 1_000, none=True), unit=_one_of(Unit), law=_text(), is_fee=_flag(),
            counted=_flag(),
        ),
    },
    "process": {
        "process_steps": _list(_name()), "channels": _list(_name()), "handle_forms": _list(_one_of(HANDLE_FORMS)),
        "online_depth": _name(), "online_depth_note": _text(), "online_depths": _list(_one_of(ONLINE_DEPTHS)),
        "online": _flag(), "self_service": _flag(), "in_hall": _flag(), "trips_to_hall": _whole(0, 10),
        "trips_reason": _text(), "mobile_url": Text(500, shortest=0, required=True, validate=[Regexp(r"\A(https://\S{1,490})?\Z")]),
        "mobile_single_sign_on": _flag(), "address": _text(), "hours": _text(), "consult": _text(), "supervise": _text(),
        "steps": _rows(
            no=_no(), name=_name(), owner=_text(), days=_whole(0, 1_000, none=True), standard=_text(), result=_text()
        ),
        "common_questions": _rows(no=_no(), question=_name(), answer=_name()),
    },
    "service": {
        "bookable": _flag(), "daily_bookings": _whole(0, 100_000, none=True), "booking_rule": _text(),
        "pre_review": _flag(), "deliverable": _flag(), "avg_handle_minutes": _whole(1, 480), "biometric_on_site": _text(),
        "agent_allowed": _flag(), "agent_friendly": _flag(), "minor_rule": _text(), "min_auth_level": _whole(1, 4),
        "paused": _flag(), "pause_reason": _text(),
    },
    "result": {
        "result_name": _name(), "result_form": _one_of(MaterialForm), "result_type": _code(10),
        "recipient_policy": _one_of(RecipientPolicy), "original_return_required": _flag(),
        "result_samples": _rows(no=_no(), name=_name(), file=_text()),
    },
    "fees": {
        "is_fee": _flag(), "pay_online": _flag(), "fee_basis": _text(),
        "fee_lines": _rows(
            no=_no(), name=_name(), amount_fen=_whole(0, 10**12, none=True),
            formula=ma.fields.String(required=True, validate=Regexp(r"\A[A-Z_]{0,40}\Z")), unit=_name(), basis=_name(),
            prepayable=_flag(), payee=_name(), by_rule=_flag(), reducible=_flag(), reduction_note=_text(),
        ),
    },
    "materials": {
        "materials": _rows(
            no=_no(), name=_name(), required=_flag(), origin=_one_of(MaterialOrigin), form=_one_of(MaterialForm),
            copies=_whole(1, 100), waivable=_flag(), licence_key=_code(), tolerable=_flag(), original_required=_flag(),
            condition=_key(allow_none=True), by_rule=_flag(), alternative_group=_text(), type_code=_code(10),
            origin_note=_text(), originals=_whole(0, 100, none=True), photocopies=_whole(0, 100, none=True),
            validity_months=_whole(1, 1_200, none=True), specification=_text(), filling_notes=_text(),
            acceptance_standard=_text(), basis=_text(), blank_form=_text(), sample_form=_text(),
        ),
    },
    "situations": {
        "questions": _rows(
            key=_key(), text=_name(), options=_rows(value=_key(), label=_name()),
            asked_when=ma.fields.Dict(required=True, allow_none=True),
        ),
        "rules": _rows(
            no=_no(), condition=ma.fields.Dict(required=True), effect=_one_of(Effect), params=ma.fields.Dict(required=True)
        ),
    },
}  # fmt: skip
"""Section → its elements. Together they are everything a version says but its department: who moves makes a new item."""


def shape(section: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """`content` as the section's shape demands it. Raises `NotFound` (no such section), `InvalidInput` by field."""
    if section not in SECTIONS:
        raise NotFound()
    try:
        loaded: dict[str, Any] = ma.Schema.from_dict(dict(SECTIONS[section]))().load(content)
    except ma.ValidationError as refused:
        raise InvalidInput(fields=dict(flat("content", refused.messages))) from None
    return loaded
