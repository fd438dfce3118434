"""How JSON bodies are read: by orjson, which refuses what no honest client sends — endless nesting, NaN, half characters.

The standard library's reader recurses, so that a body of brackets alone ends in a fault of ours instead of an answer.
"""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import orjson
from flask import Request
from flask_smorest import Blueprint
from webargs.core import is_json

from core.errors import MalformedRequest


def install() -> None:
    """Read the bodies of every route this way."""
    Blueprint.ARGUMENTS_PARSER.location_loader("json")(_load)


def _load(request: Request, _schema: ma.Schema) -> Any:
    """The value of a JSON body; nothing when there is none. Raises `MalformedRequest`."""
    body = request.get_data(cache=True) if is_json(request.mimetype) else b""
    if not body:
        return ma.missing
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedRequest() from None
