"""The service catalogue: lists and search. The same for everybody; guides of items are in `guides`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow as ma
import orjson
from flask import Response
from flask_smorest import Blueprint
from marshmallow.validate import Length, OneOf, Regexp
from sqlalchemy.orm import Session

from casework.catalogue import queries, rules
from casework.catalogue.answers import queries as answers
from casework.catalogue.rules import CaseType, ServiceObject
from core import clock
from core.db import transaction
from core.web import access
from core.web.caching import cacheable
from core.web.paging import PageIn
from core.web.request_context import language
from core.workdays import Unit

blp = Blueprint("catalogue", __name__, url_prefix="/api/v1/catalogue", description="办事指南 / Service catalogue")

PUBLIC = "the catalogue is public"

_text = ma.fields.String
_flag = ma.fields.Boolean


def _code() -> ma.fields.String:
    return ma.fields.String(load_default=None, validate=Regexp(r"\A[A-Za-z0-9]{1,20}\Z"))


def _known(values: Any) -> ma.fields.String:
    return ma.fields.String(required=True, validate=OneOf([str(value) for value in values]))


class ItemsIn(PageIn):
    """What to list: words, and what narrows them."""

    q = ma.fields.String(
        load_default="", validate=Length(0, 50), metadata={"description": "Words, in Chinese or a code"}
    )
    zone = _code()
    department = _code()
    object = ma.fields.String(load_default=None, validate=OneOf([str(value) for value in ServiceObject]))
    hot = _flag(load_default=None)
    bookable = _flag(load_default=None)
    deliverable = _flag(load_default=None)


class CodedOut(ma.Schema):
    """A code and what it is called."""

    code = _text(required=True)
    name = _text(required=True)


class DepartmentRefOut(ma.Schema):
    """A department."""

    id = _text(required=True)
    name = _text(required=True)


class DepartmentNamesOut(DepartmentRefOut):
    """A department with its name of 2017."""

    name_2017 = _text(required=True)


class LimitOut(ma.Schema):
    """How long it may take; 0 is done while you wait."""

    value = ma.fields.Integer(required=True)
    unit = _known(Unit)
    text = _text(required=True)
    note = _text(required=True)


class ItemEntryOut(ma.Schema):
    """A line of the list."""

    item_id = _text(required=True)
    name = _text(required=True)
    zone = ma.fields.Nested(CodedOut, required=True)
    department = ma.fields.Nested(DepartmentRefOut, required=True)
    authority = _text(required=True)
    case_type = _known(CaseType)
    promised_limit = ma.fields.Nested(LimitOut, required=True)
    trips_to_hall = ma.fields.Integer(required=True)
    bookable = _flag(required=True)
    pre_review = _flag(required=True)
    deliverable = _flag(required=True)
    hot = _flag(required=True)
    is_fee = _flag(required=True)
    is_sample = _flag(required=True)


class NothingOut(ma.Schema):
    """What to do when nothing was found."""

    text = _text(required=True)
    hotline = _text(required=True)


class ItemPageOut(ma.Schema):
    """A page of items; `notice` when some of them are sample data, `nothing_found` when there are none."""

    items = ma.fields.List(ma.fields.Nested(ItemEntryOut), required=True)
    next_cursor = _text(allow_none=True, required=True)
    notice = _text(allow_none=True, required=True)
    nothing_found = ma.fields.Nested(NothingOut, allow_none=True, required=True)


def public_answer(key: str, make: Callable[[Session], object]) -> Response:
    """The answer to `key` in the caller's language: kept, or made now."""
    key = f"{language()} {key}"
    body = answers.kept(key)
    if body is None:
        with transaction() as session:
            body = answers.answer(session, key, lambda: make(session))
    return Response(body, content_type="application/json")


def _page(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    narrowed = {name: value for name, value in args.items() if name not in {"cursor", "limit", "object"}}
    filters = queries.Filters(service_object=args["object"], **narrowed)
    spoken = language()
    page = queries.search(session, filters, clock.today(), cursor=args["cursor"], limit=args["limit"], language=spoken)
    return {
        "items": page.items,
        "next_cursor": page.next_cursor,
        "notice": rules.SAMPLE_NOTICE[spoken] if any(item["is_sample"] for item in page.items) else None,
        "nothing_found": None if page.items else {"text": rules.NOTHING_FOUND[spoken], "hotline": "12345"},
    }


@blp.get("/items")
@access.public(PUBLIC)
@cacheable(0)
@blp.arguments(ItemsIn, location="query")
@blp.response(200, ItemPageOut)
def items(args: dict[str, Any]) -> Response:
    """List service items, or search them."""
    key = orjson.dumps(args, option=orjson.OPT_SORT_KEYS).decode()
    return public_answer(f"items {key}", lambda session: _page(session, args))
