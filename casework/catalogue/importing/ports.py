"""The document as it comes from outside: its shape, field by field. Unknown fields are refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from casework.catalogue.importing import rules
from core.workdays import Unit

MAX_TEXT = 5_000


class _Flag(ma.fields.Boolean):
    """Only `true` and `false`: a number or a text is a fault of the document."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


_text = partial(ma.fields.String, required=True, validate=Length(0, MAX_TEXT))
_name = partial(ma.fields.String, required=True, validate=Length(1, 500))
_flag = partial(_Flag, required=True)
_list = partial(ma.fields.List, required=True)


def _code(pattern: str = r"[A-Za-z0-9_-]{1,64}") -> ma.fields.String:
    return ma.fields.String(required=True, validate=Regexp(rf"\A{pattern}\Z"))


def _one_of(values: Mapping[str, object]) -> ma.fields.String:
    return ma.fields.String(required=True, validate=OneOf(list(values)))


def _whole(low: int, high: int, *, none: bool = False) -> ma.fields.Integer:
    return ma.fields.Integer(required=True, strict=True, allow_none=none, validate=Range(low, high))


def _rows(**fields: ma.fields.Field[Any]) -> ma.fields.List[Any]:
    return ma.fields.List(_row(**fields), required=True, validate=Length(1))


def _row(**fields: ma.fields.Field[Any]) -> ma.fields.Nested:
    return ma.fields.Nested(ma.Schema.from_dict(dict(fields)), required=True)


def _limit() -> ma.fields.Nested:
    unit = ma.fields.String(required=True, validate=OneOf([str(unit) for unit in Unit]))
    return _row(value=_whole(0, 1_000), unit=unit, note=_text())


class _Lookups(ma.Schema):
    zones = _rows(zone_code=_code(), name=_name(), windows=_whole(0, 1_000), note=_text())
    regions = _rows(code=_code(r"\d{6}"), name=_name(), kind=_name(), source=_text(), confidence=_text())
    dev_zones = _rows(
        code=_code(), name_2017=_name(), name_now=_name(), source=_text(), confidence=_text(), note=_text()
    )
    departments = _rows(dept_id=_code(), name_2017=_name(), name_now=_name(), source=_text(), confidence=_text())
    joint_topics = _rows(
        topic_key=_code(),
        name=_name(),
        lead_authority_2017=_name(),
        participants=_list(_name()),
        before_days=_whole(1, 1_000, none=True),
        after_days=_whole(1, 1_000, none=True),
        source=_text(),
    )
    packages = _rows(topic_key=_code(), name=_name())
    app_tiles = _rows(
        tile_id=_code(),
        group=_name(),
        name=_name(),
        authority_2017=_name(),
        link_mode=ma.fields.String(required=True, validate=OneOf(["sso_redirect"])),
        source=_text(),
    )
    licences = _rows(licence_key=_code(), name=_name())
    # The directory of intermediaries and the calendars have owners of their own.
    intermediaries = _list(ma.fields.Dict())
    calendar = ma.fields.Dict(required=True)


class _Material(ma.Schema):
    material_no = _whole(1, 1_000)
    name = _name()
    necessity = _one_of({rules.NECESSARY: None, rules.CONDITIONAL: None})
    origin = _one_of(rules.ORIGINS)
    form = _one_of(rules.FORMS)
    copies = _whole(1, 100)
    waivable = _flag()
    licence_key = _text()
    licence_name = _text()
    tolerable_defect = _flag()


class _FeeLine(ma.Schema):
    name = _name()
    amount_cents = _whole(0, 10**12, none=True)
    formula = ma.fields.String(required=True, validate=Regexp(r"\A[A-Z_]{0,40}\Z"))
    unit = _name()
    basis = _name()
    prepayable = _flag()
    payee = _name()


class _Item(ma.Schema):
    item_id = _code(r"[A-Z]{2}-[A-Z0-9-]{1,60}")
    name = _name()
    zone_code = _code()
    zone_name = _name()
    authority_2017 = _name()
    authority_now = _name()
    catalog_code = _code(r"[A-Za-z0-9-]{1,32}")
    task_code = _code(r"[A-Za-z0-9-]{1,64}")
    item_type_code = ma.fields.String(
        required=True, validate=OneOf(["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "20"])
    )
    item_type = _name()
    case_type_code = _one_of(rules.CASE_TYPES)
    case_type = _name()
    use_level = _name()
    service_objects = _list(_one_of(rules.OBJECTS), validate=Length(1))
    legal_basis = _list(_row(name=_name(), clause=_text()))
    legal_limit = _limit()
    promised_limit = _limit()
    conditions = _text()
    materials = _list(ma.fields.Nested(_Material))
    fee = _row(is_fee=_flag(), pay_online=_flag(), lines=_list(ma.fields.Nested(_FeeLine)))
    process_steps = _list(_name())
    special_procedures = _text()
    result_name = _name()
    result_carrier = _one_of(rules.FORMS)
    channels = _list(_name())
    online_depth = _name()
    online_depth_note = _text()
    trips_to_hall = _whole(0, 10)
    bookable = _flag()
    pre_review = _flag()
    deliverable = _flag()
    avg_handle_minutes = _whole(1, 480)
    original_return_required = _flag()
    biometric_on_site = _text()
    agent_allowed = _flag()
    agent_friendly = _flag()
    minor_rule = _text()
    min_auth_level = _whole(1, 4)
    joint_topics = _list(_code())
    address = _text()
    hours = _text()
    consult = _text()
    supervise = _text()
    seed_fact = _text()
    hot = _flag()
    confidence = ma.fields.Dict(required=True, keys=ma.fields.String(), values=ma.fields.String())
    source = _row(kind=_name(), ref=_text(), covers=_list(_name()))


class DocumentShape(ma.Schema):
    """The whole document."""

    schema_version = ma.fields.String(required=True, validate=OneOf(["1.0"]))
    generated_on = ma.fields.Date(required=True)
    language = ma.fields.String(required=True, validate=OneOf(["zh-CN"]))
    disclaimer = _text()
    schema = ma.fields.Dict(required=True)
    counts = _row(items=_whole(0, 100_000), by_source=ma.fields.Dict(required=True))
    lookups = ma.fields.Nested(_Lookups, required=True)
    items = _list(ma.fields.Nested(_Item))
