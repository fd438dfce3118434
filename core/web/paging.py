"""Cursor paging. Lists are ordered by UUIDv7 key, which is the order of creation, so a page is one index range."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import marshmallow as ma
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.errors import InvalidInput

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor of the next ones (None: that was all)."""

    items: Sequence[T]
    next_cursor: str | None


class PageIn(ma.Schema):
    """Query parameters of every list; features subclass it to add filters."""

    limit = ma.fields.Integer(load_default=DEFAULT_LIMIT, validate=ma.validate.Range(1, MAX_LIMIT))
    cursor = ma.fields.String(load_default=None, validate=ma.validate.Regexp(r"\A[A-Za-z0-9_-]{1,200}\Z"))


def page_out(item: type[ma.Schema]) -> type[ma.Schema]:
    """The answer schema of a list of `item`: `items` and `next_cursor`."""
    name = item.__name__.removesuffix("Out") + "PageOut"
    return type(
        name,
        (ma.Schema,),
        {
            "items": ma.fields.List(ma.fields.Nested(item), required=True),
            "next_cursor": ma.fields.String(allow_none=True, required=True),
        },
    )


def encode(position: str) -> str:
    """A cursor for a position (an opaque text for the client)."""
    return base64.urlsafe_b64encode(position.encode()).rstrip(b"=").decode()


def decode(cursor: str) -> str:
    """The position in a cursor. Raises `InvalidInput` for a made-up one."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as fault:
        raise InvalidInput(fields={"cursor": ["不是有效的翻页标记 / not a valid cursor"]}) from fault


def by_id(
    session: Session,
    query: Select[T],
    key: InstrumentedAttribute[UUID],
    args: Mapping[str, Any],
    *,
    newest_first: bool = True,
) -> Page[T]:
    """One page of `query`'s entities in the order of their UUIDv7 `key`; `args` is a loaded `PageIn`."""
    limit = int(args["limit"])
    if args.get("cursor"):
        try:
            last = UUID(decode(args["cursor"]))
        except ValueError as fault:
            raise InvalidInput(fields={"cursor": ["不是有效的翻页标记 / not a valid cursor"]}) from fault
        query = query.where(key < last if newest_first else key > last)
    query = query.order_by(key.desc() if newest_first else key.asc()).limit(limit + 1)
    rows = list(session.scalars(query))
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, encode(str(getattr(rows[-1], key.key))) if more else None)
