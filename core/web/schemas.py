"""Fields for wire schemas, strict on the way in and uniform on the way out.

Input schemas and output schemas are different classes, named for the act and the thing (`BookIn`, `AppointmentOut`).
Unknown input fields are refused (marshmallow's default).
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Any

import marshmallow as ma

from core import clock

MAX_FEN = 10**12


class Text(ma.fields.String):
    """A line of text a person typed: trimmed, 1..`longest` characters, no control characters."""

    def __init__(self, longest: int = 200, *, shortest: int = 1, lines: bool = False, **kwargs: Any) -> None:
        """`lines`: line breaks and tabs are allowed."""
        validators = [ma.validate.Length(shortest, longest)]
        super().__init__(validate=validators + list(kwargs.pop("validate", [])), **kwargs)
        self._lines = lines

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        for char in text:
            if unicodedata.category(char) in {"Cc", "Cs"} and not (self._lines and char in "\n\r\t"):
                raise ma.ValidationError("含有不允许的字符 / contains characters that are not allowed")
        return text


class Fen(ma.fields.Integer):
    """Money: whole fen, never a float or a text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {})["description"] = "CNY in fen (1/100 yuan)"
        super().__init__(strict=True, validate=ma.validate.Range(0, MAX_FEN), **kwargs)


class Moment(ma.fields.AwareDateTime):
    """A time with zone (RFC 3339). Written in Asia/Shanghai."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _serialize(self, value: datetime | None, attr: Any, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return None if value is None else clock.local(value).isoformat(timespec="seconds")


class Whole(ma.fields.Integer):
    """A whole number within `low`..`high`; texts, floats and booleans are refused in JSON, digits accepted in queries."""

    def __init__(self, low: int, high: int, *, strict: bool = True, **kwargs: Any) -> None:
        super().__init__(strict=strict, validate=ma.validate.Range(low, high), **kwargs)


class Code(ma.fields.Enum[StrEnum]):
    """A code of an enumeration by its value. Out: a member, or the text a table holds."""

    def __init__(self, enum: type[StrEnum], **kwargs: Any) -> None:
        super().__init__(enum, by_value=True, **kwargs)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else super()._serialize(self.enum(value), attr, obj, **kwargs)


class ProblemOut(ma.Schema):
    """`application/problem+json` (RFC 9457)."""

    type = ma.fields.String(required=True, metadata={"description": "An address that names the kind of problem"})
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    code = ma.fields.String(required=True, metadata={"description": "Stable code, see docs/reference/errors.md"})
    detail = ma.fields.String(required=True, metadata={"description": "For the person, in the requested language"})
    request_id = ma.fields.String(required=True)
    errors = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.List(ma.fields.String()),
        metadata={"description": "Faults by input field"},
    )
    needed_level = ma.fields.Integer()
    level = ma.fields.Integer()
    ways = ma.fields.List(ma.fields.Dict(), metadata={"description": "Ways to reach the needed level"})
    purpose = ma.fields.String(metadata={"description": "The act that a fresh proof (level 4) must be made for"})
