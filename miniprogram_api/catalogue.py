"""The service catalogue: search, guides, exact paper lists, reference lists. The same for everybody."""

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
from casework.catalogue.answers.rules import item_answer, material_answer
from casework.catalogue.rules import CaseType, MaterialForm, MaterialOrigin, RecipientPolicy, ServiceObject
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


class LicenceRefOut(ma.Schema):
    """A licence that replaces a paper."""

    key = _text(required=True)
    name = _text(required=True)


class MaterialOut(ma.Schema):
    """A paper. `tolerable`: it may follow later; `original_required`: shown at the counter; `condition`: the question that calls for it."""

    no = ma.fields.Integer(required=True)
    name = _text(required=True)
    required = _flag(required=True)
    origin = _known(MaterialOrigin)
    form = _known(MaterialForm)
    copies = ma.fields.Integer(required=True)
    waivable = _flag(required=True)
    licence = ma.fields.Nested(LicenceRefOut, allow_none=True, required=True)
    tolerable = _flag(required=True)
    original_required = _flag(required=True)
    condition = _text(allow_none=True, required=True)


class OptionOut(ma.Schema):
    """An answer to choose."""

    value = _text(required=True)
    label = _text(required=True)


class QuestionOut(ma.Schema):
    """A question about the situation."""

    key = _text(required=True)
    text = _text(required=True)
    options = ma.fields.List(ma.fields.Nested(OptionOut), required=True)


class FeeLineOut(ma.Schema):
    """A line of the tariff; without an amount it is computed by a formula elsewhere."""

    no = ma.fields.Integer(required=True)
    name = _text(required=True)
    amount_fen = ma.fields.Integer(allow_none=True, required=True)
    formula = _text(required=True)
    unit = _text(required=True)
    basis = _text(required=True)
    prepayable = _flag(required=True)
    payee = _text(required=True)


class FeeOut(ma.Schema):
    """What it costs."""

    pay_online = _flag(required=True)
    lines = ma.fields.List(ma.fields.Nested(FeeLineOut), required=True)


class ResultOut(ma.Schema):
    """What comes out, and who may receive it."""

    name = _text(required=True)
    form = _known(MaterialForm)
    recipient_policy = _known(RecipientPolicy)


class LegalBasisOut(ma.Schema):
    """A law and its clause."""

    name = _text(required=True)
    clause = _text(required=True)


class ItemOut(ItemEntryOut):
    """The guide of an item."""

    version_id = ma.fields.UUID(required=True)
    version = ma.fields.Integer(required=True)
    effective_from = ma.fields.Date(required=True)
    department = ma.fields.Nested(DepartmentNamesOut, required=True)
    catalog_code = _text(required=True)
    task_code = _text(required=True)
    type = ma.fields.Nested(CodedOut, required=True)
    use_level = _text(required=True)
    service_objects = ma.fields.List(_known(ServiceObject), required=True)
    legal_basis = ma.fields.List(ma.fields.Nested(LegalBasisOut), required=True)
    legal_limit = ma.fields.Nested(LimitOut, required=True)
    conditions = _text(required=True)
    questions = ma.fields.List(ma.fields.Nested(QuestionOut), required=True)
    materials = ma.fields.List(ma.fields.Nested(MaterialOut), required=True)
    fee = ma.fields.Nested(FeeOut, required=True)
    process_steps = ma.fields.List(_text(), required=True)
    special_procedures = _text(required=True)
    result = ma.fields.Nested(ResultOut, required=True)
    channels = ma.fields.List(_text(), required=True)
    online_depth = _text(required=True)
    online_depth_note = _text(required=True)
    original_return_required = _flag(required=True)
    biometric_on_site = _text(required=True)
    agent_allowed = _flag(required=True)
    agent_friendly = _flag(required=True)
    minor_rule = _text(required=True)
    min_auth_level = ma.fields.Integer(required=True)
    joint_topics = ma.fields.List(_text(), required=True)
    address = _text(required=True)
    hours = _text(required=True)
    consult = _text(required=True)
    supervise = _text(required=True)
    notice = _text(allow_none=True, required=True)


class AnswersIn(ma.Schema):
    """The answers to the item's questions: key → value of the chosen option."""

    answers = ma.fields.Dict(
        keys=ma.fields.String(validate=Length(1, 64)), values=ma.fields.String(validate=Length(1, 64)), required=True
    )


class MaterialListOut(ma.Schema):
    """The exact papers of a situation, by the version in force."""

    item_id = _text(required=True)
    version_id = ma.fields.UUID(required=True)
    materials = ma.fields.List(ma.fields.Nested(MaterialOut), required=True)


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


@blp.get("/items/<item_id>")
@access.public(PUBLIC)
@cacheable(0)
@blp.response(200, ItemOut)
def item(item_id: str) -> Response:
    """Show the guide of an item as it is in force today."""
    return public_answer(
        f"item {item_id}",
        lambda session: item_answer(queries.item_in_force(session, item_id, clock.today()), language()),
    )


@blp.post("/items/<item_id>/materials")
@access.public(PUBLIC)
@blp.arguments(AnswersIn)
@blp.response(200, MaterialListOut)
def materials(args: dict[str, Any], item_id: str) -> dict[str, Any]:
    """Tell exactly which papers a situation needs."""
    with transaction() as session:
        found = queries.item_in_force(session, item_id, clock.today())
        needed = [material_answer(material) for material in rules.materials_for(found, args["answers"])]
        return {"item_id": item_id, "version_id": found.version_id, "materials": needed}
