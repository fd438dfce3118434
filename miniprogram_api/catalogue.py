"""The service catalogue: lists and search. The same for everybody; guides of items are in `guides`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow.validate import Length, OneOf, Regexp
from sqlalchemy.orm import Session

from casework.catalogue import rules
from casework.catalogue.lookups import queries as lookups
from casework.catalogue.rules import CaseType, ServiceObject
from casework.catalogue.search import queries as search
from casework.catalogue.search.misses import service as misses
from casework.catalogue.search.queries import Entry, Filters, Nothing
from casework.catalogue.search.service import CITY
from core import clock
from core.web import access
from core.web.blueprint import Blueprint
from core.web.paging import PageIn
from core.web.request_context import language
from core.workdays import Unit
from miniprogram_api.public_answers import kept, made

blp = Blueprint("catalogue", __name__, url_prefix="/api/v1/catalogue", description="办事指南 / Service catalogue")

PUBLIC = "the catalogue is public"
_POPULAR = 20
_FILTERS = ("q", "zone", "department", "region", "topic", "online_depth", "hot", "bookable", "deliverable")

_TYPED = 200
"""The longest that is read as a search; what stands beyond its first 50 characters or so doesn't count."""
_text = ma.fields.String
_flag = ma.fields.Boolean


class Code(ma.fields.String):
    """A code of ours, however it is spelt: lower case, full width and blanks are put right (`rules.code`)."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return rules.code(super()._deserialize(value, attr, data, **kwargs))


class ItemCode(Code):
    """The code of an item."""

    def __init__(self, **kwargs: Any) -> None:
        """What holds for every item's code."""
        super().__init__(validate=Regexp(r"\A[A-Z0-9-]{1,64}\Z"), **kwargs)


class _Words(ma.fields.String):
    """What was typed, without the blanks around it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).strip()


def _code() -> Code:
    return Code(load_default=None, validate=Regexp(r"\A[A-Z0-9]{1,20}\Z"))


def _known(values: Any) -> ma.fields.String:
    return ma.fields.String(required=True, validate=OneOf([str(value) for value in values]))


class ItemsIn(PageIn):
    """What to list: words, and what narrows them."""

    q = _Words(
        load_default="",
        validate=Length(0, _TYPED),
        metadata={"description": "Words, pinyin, initials, English, a code"},
    )
    zone = _code()
    department = _code()
    region = _code()
    object = ma.fields.String(load_default=None, validate=OneOf([str(value) for value in ServiceObject]))
    topic = Code(
        load_default=None,
        validate=Regexp(r"\A[A-Z0-9_]{1,40}\Z"),
        metadata={"description": "An industry with a joint approval, or a package of things done as one"},
    )
    online_depth = ma.fields.String(load_default=None, validate=OneOf(["I", "II", "III", "IV"]))
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
    paused = _flag(required=True, metadata={"description": "暂停办理: nothing can be begun, and it isn't hot"})


class NothingOut(ma.Schema):
    """What to do when nothing was found: words the catalogue doesn't know, words to try, items there are without the filters."""

    text = _text(required=True)
    hotline = _text(required=True)
    not_understood = ma.fields.List(_text(), required=True)
    try_instead = ma.fields.List(_text(), required=True)
    without_filters = ma.fields.Integer(required=True)


class ItemPageOut(ma.Schema):
    """A page of items; `notice` when some of them are sample data, `nothing_found` when there are none."""

    items = ma.fields.List(ma.fields.Nested(ItemEntryOut), required=True)
    next_cursor = _text(allow_none=True, required=True)
    notice = _text(allow_none=True, required=True)
    nothing_found = ma.fields.Nested(NothingOut, allow_none=True, required=True)


class PopularOut(ma.Schema):
    """What most people used lately; `notice` when some of it is sample data."""

    items = ma.fields.List(ma.fields.Nested(ItemEntryOut), required=True)
    notice = _text(allow_none=True, required=True)


class SuggestionsIn(ma.Schema):
    """What was typed so far."""

    q = ma.fields.String(
        required=True, validate=Length(1, _TYPED), metadata={"description": "Characters, pinyin, initials"}
    )


class SuggestionOut(ma.Schema):
    """A way to go on: the name of an item, or words to search for (then `item_id` is null)."""

    text = _text(required=True)
    item_id = _text(allow_none=True, required=True)


class SuggestionListOut(ma.Schema):
    """At most 8, the best first."""

    items = ma.fields.List(ma.fields.Nested(SuggestionOut), required=True)


def _page(session: Session, args: dict[str, Any]) -> dict[str, Any]:
    filters = Filters(**{name: args[name] for name in _FILTERS}, service_object=args["object"])
    spoken, today = language(), clock.today()
    region = None if filters.region == CITY else filters.region
    lookups.check(session, zone=filters.zone, department=filters.department, region=region, topic=filters.topic)
    page = search.search(session, filters, today, cursor=args["cursor"], limit=args["limit"], language=spoken)
    if page.nothing is not None and not filters.narrowing():
        misses.note(session, typed=filters.q, day=today)
    return {
        "items": [entry.answer for entry in page.items],
        "next_cursor": page.next_cursor,
        "notice": notice(page.items, spoken),
        "nothing_found": None if page.items else _nothing(page.nothing or Nothing((), (), 0), spoken),
    }


def notice(entries: Sequence[Entry], spoken: str) -> str | None:
    """What is said when some of the items are sample data."""
    return rules.SAMPLE_NOTICE[spoken] if any(entry.is_sample for entry in entries) else None


def _popular(session: Session) -> dict[str, Any]:
    entries = search.most_used(session, clock.today(), limit=_POPULAR, language=language())
    return {"items": [entry.answer for entry in entries], "notice": notice(entries, language())}


def _nothing(nothing: Nothing, spoken: str) -> dict[str, Any]:
    return {"text": rules.NOTHING_FOUND[spoken], "hotline": "12345", **asdict(nothing)}


def _suggestions(session: Session, typed: str) -> dict[str, Any]:
    return {"items": [asdict(found) for found in search.suggest(session, typed, clock.today())]}


@blp.get("/items")
@access.public(PUBLIC)
@kept
@blp.arguments(ItemsIn, location="query")
@blp.response(200, ItemPageOut)
def items(args: dict[str, Any]) -> Response:
    """List service items, or search them."""
    return made(lambda session: _page(session, args))


@blp.get("/popular")
@access.public(PUBLIC)
@kept
@blp.response(200, PopularOut)
def popular() -> Response:
    """List the service items that most people used lately."""
    return made(_popular)


@blp.get("/suggestions")
@access.public(PUBLIC)
@kept
@blp.arguments(SuggestionsIn, location="query")
@blp.response(200, SuggestionListOut)
def suggestions(args: dict[str, Any]) -> Response:
    """Suggest how to go on while somebody types."""
    return made(lambda session: _suggestions(session, args["q"]))
