"""Whether a record surely has the shape that a schema demands. Pure.

A schema tells what is wrong, but takes a millisecond for a record; a city's catalogue has 20,000, nearly all of them right. What
is sure here is loaded by the schema unchanged; what isn't is left to the schema to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from core.web.schemas import Text

Sure = Callable[[Any], bool]


def sure(schema: ma.Schema) -> Sure:
    """Whether the schema surely loads a value, and leaves it as it is."""
    return _of_fields(schema.fields)


def _of_fields(fields: Mapping[str, ma.fields.Field[Any]]) -> Sure:
    checks = {name: _of_field(field) for name, field in fields.items()}
    names = checks.keys()

    def check(value: Any) -> bool:
        return type(value) is dict and value.keys() == names and all(checks[name](value[name]) for name in names)

    return check


def _of_field(field: ma.fields.Field[Any]) -> Sure:
    inner = _of_kind(field)
    return (lambda value: value is None or inner(value)) if field.allow_none else inner


def _of_kind(field: ma.fields.Field[Any]) -> Sure:
    valid = _all([_of_validator(one) for one in field.validators])
    check: Sure = _nothing
    match field:
        case ma.fields.Nested():
            nested = _of_fields(field.schema.fields)
            check = lambda value: nested(value) and valid(value)  # noqa: E731
        case ma.fields.List():
            each = _of_field(field.inner)
            check = lambda value: type(value) is list and valid(value) and all(map(each, value))  # noqa: E731
        case ma.fields.Dict():
            key = _of_field(field.key_field) if field.key_field else _anything
            held = _of_field(field.value_field) if field.value_field else _anything
            check = lambda value: (  # noqa: E731
                type(value) is dict and valid(value) and all(map(key, value)) and all(map(held, value.values()))
            )
        case ma.fields.Boolean():
            check = lambda value: type(value) is bool  # noqa: E731
        case ma.fields.Integer():
            check = lambda value: type(value) is int and valid(value)  # noqa: E731
        case Text():
            plain = _plain_lines if field._lines else str.isprintable
            check = lambda value: type(value) is str and value == value.strip() and plain(value) and valid(value)  # noqa: E731
        case ma.fields.String():
            check = lambda value: type(value) is str and valid(value)  # noqa: E731
    return check


def _plain_lines(text: str) -> bool:
    return text.replace("\n", "").isprintable()


def _anything(_value: Any) -> bool:
    return True


def _nothing(_value: Any) -> bool:
    return False


def _all(checks: list[Sure]) -> Sure:
    if not checks:
        return _anything
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


def _of_validator(validator: Any) -> Sure:
    match validator:
        case Length(min=low, max=high, equal=None):
            return lambda value: (low is None or low <= len(value)) and (high is None or len(value) <= high)
        case Range(min=low, max=high, min_inclusive=True, max_inclusive=True):
            return lambda value: (low is None or low <= value) and (high is None or value <= high)
        case OneOf(choices=choices):
            return lambda value: value in choices
        case Regexp(regex=regex):
            return lambda value: regex.match(value) is not None
    return _nothing
