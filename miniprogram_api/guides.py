"""Guides of items (办事指南): one item whole, its situations, exact papers. The same for everybody."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import orjson
from flask import Response
from marshmallow.validate import Length, OneOf
from sqlalchemy.orm import Session

from casework.catalogue import queries, rules
from casework.catalogue.answers.rules import advice_answer, item_answer, material_answer
from casework.catalogue.elements.queries import elements
from casework.catalogue.errors import ItemNotInForce
from casework.catalogue.guide.rules import advise
from casework.catalogue.redirects import queries as redirects
from casework.catalogue.redirects.rules import TEXTS
from casework.catalogue.rules import MaterialForm, MaterialOrigin, RecipientPolicy, ServiceObject
from casework.catalogue.situations.rules import WINDOW_KINDS
from casework.durations import queries as durations
from casework.places import queries as places
from casework.places.rules import Reach
from core import clock
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import language
from miniprogram_api.catalogue import (
    PUBLIC,
    CodedOut,
    DepartmentNamesOut,
    ItemEntryOut,
    LimitOut,
)
from miniprogram_api.durations import MeasuredDurationOut
from miniprogram_api.elements import ElementsOut
from miniprogram_api.public_answers import kept, made

blp = Blueprint("guides", __name__, url_prefix="/api/v1/catalogue", description="办事指南 / Guides of service items")

_MOST_ANSWERS = 200
"""As many as an item may have questions."""

_text = ma.fields.String
_flag = ma.fields.Boolean


def _known(values: Any) -> ma.fields.String:
    return ma.fields.String(required=True, validate=OneOf([str(value) for value in values]))


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
    by_situation = _flag(required=True, metadata={"description": "Only some situations need it: ask the guide"})
    alternative_group = _text(required=True, metadata={"description": "One paper of a group is enough"})
    type_code = _text(required=True)
    origin_note = _text(required=True)
    originals = ma.fields.Integer(allow_none=True, required=True)
    photocopies = ma.fields.Integer(allow_none=True, required=True)
    validity_months = ma.fields.Integer(allow_none=True, required=True, metadata={"description": "How old it may be"})
    specification = _text(required=True)
    filling_notes = _text(required=True)
    acceptance_standard = _text(required=True)
    basis = _text(required=True)
    blank_form = _text(required=True)
    sample_form = _text(required=True)


class OptionOut(ma.Schema):
    """An answer to choose."""

    value = _text(required=True)
    label = _text(required=True)


class QuestionOut(ma.Schema):
    """A question about the situation."""

    key = _text(required=True)
    text = _text(required=True)
    options = ma.fields.List(ma.fields.Nested(OptionOut), required=True)
    asked_when = ma.fields.Dict(
        allow_none=True, required=True, metadata={"description": "Condition on earlier answers; null: always asked"}
    )


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
    by_situation = _flag(required=True)
    reducible = _flag(required=True)
    reduction_note = _text(required=True)


class FeeOut(ma.Schema):
    """What it costs."""

    pay_online = _flag(required=True)
    basis = _text(required=True)
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


class SuccessorOut(ma.Schema):
    """An item in force that follows another."""

    item_id = _text(required=True)
    name = _text(required=True)


class ComingOut(ma.Schema):
    """What is published of the days ahead: from `day` on other contents hold, or the item ends."""

    day = ma.fields.Date(required=True)
    kind = ma.fields.String(required=True, validate=OneOf(["CHANGES", "ENDS"]))
    text = _text(required=True)
    went_to = ma.fields.List(ma.fields.Nested(SuccessorOut), required=True)


class HandledOut(ma.Schema):
    """Where it is handled: 全市通办, 属地 or the city's hall alone; `region_code`: in this district only."""

    reach = _known(Reach)
    region_code = _text(allow_none=True, required=True)
    text = _text(required=True)


class ItemOut(ItemEntryOut):
    """The guide of an item."""

    version_id = ma.fields.UUID(required=True)
    version = ma.fields.Integer(required=True)
    effective_from = ma.fields.Date(required=True)
    effective_to = ma.fields.Date(
        allow_none=True, required=True, metadata={"description": "The first day on which it holds no more"}
    )
    coming = ma.fields.Nested(ComingOut, allow_none=True, required=True)
    handled = ma.fields.Nested(HandledOut, required=True)
    department = ma.fields.Nested(DepartmentNamesOut, required=True)
    catalog_code = _text(required=True)
    task_code = _text(required=True)
    type = ma.fields.Nested(CodedOut, required=True)
    use_level = _text(required=True)
    service_objects = ma.fields.List(_known(ServiceObject), required=True)
    legal_basis = ma.fields.List(ma.fields.Nested(LegalBasisOut), required=True)
    legal_limit = ma.fields.Nested(LimitOut, required=True)
    measured_duration = ma.fields.Nested(MeasuredDurationOut, required=True)
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
    elements = ma.fields.Nested(ElementsOut, required=True)
    notice = _text(allow_none=True, required=True)


class AnswersIn(ma.Schema):
    """The answers to the item's questions: key → value of the chosen option."""

    answers = ma.fields.Dict(
        keys=ma.fields.String(validate=Length(1, 64)),
        values=ma.fields.String(validate=Length(1, 64)),
        required=True,
        validate=Length(max=_MOST_ANSWERS),
    )


class MaterialListOut(ma.Schema):
    """The exact papers of a situation, by the version in force."""

    item_id = _text(required=True)
    version_id = ma.fields.UUID(required=True)
    materials = ma.fields.List(ma.fields.Nested(MaterialOut), required=True)


class RefusalOut(ma.Schema):
    """Why the item isn't for this situation, and the item that is."""

    reason = _text(required=True)
    item_id = _text(allow_none=True, required=True)


class PaperChoiceOut(ma.Schema):
    """A need for papers: one of them is enough."""

    alternative_group = _text(required=True)
    one_of = ma.fields.List(ma.fields.Nested(MaterialOut), required=True)


class GuideOut(ma.Schema):
    """Everything that holds in this situation."""

    possible = _flag(required=True)
    refusals = ma.fields.List(ma.fields.Nested(RefusalOut), required=True)
    papers = ma.fields.List(ma.fields.Nested(PaperChoiceOut), required=True)
    fee_lines = ma.fields.List(ma.fields.Nested(FeeLineOut), required=True)
    fee_total_fen = ma.fields.Integer(
        required=True,
        metadata={"description": "One of each line with an amount; what is computed by a formula comes on top"},
    )
    zone = ma.fields.Nested(CodedOut, required=True)
    window_kinds = ma.fields.List(_known(WINDOW_KINDS), required=True)
    legal_limit = ma.fields.Nested(LimitOut, required=True)
    promised_limit = ma.fields.Nested(LimitOut, required=True)
    min_auth_level = ma.fields.Integer(required=True)
    agent_allowed = _flag(required=True)
    bookable = _flag(required=True)
    pre_review = _flag(required=True)
    deliverable = _flag(required=True)
    trips_to_hall = ma.fields.Integer(required=True)


class AdviceOut(ma.Schema):
    """The next question, or the guide; `answers` are those that count. While it is `paused` nothing can be begun."""

    item_id = _text(required=True)
    version_id = ma.fields.UUID(required=True)
    answers = ma.fields.Dict(keys=_text(), values=_text(), required=True)
    question = ma.fields.Nested(QuestionOut, allow_none=True, required=True)
    questions_left = ma.fields.Integer(required=True, metadata={"description": "Open so far; answers may add more"})
    guide = ma.fields.Nested(GuideOut, allow_none=True, required=True)
    paused = _flag(required=True)
    pause_reason = _text(required=True)
    notice = _text(allow_none=True, required=True)


def _item(session: Session, item_id: str) -> dict[str, Any]:
    found = queries.item_in_force(session, item_id, clock.today())
    spoken = language()
    said = elements(session, found.version_id)
    coming = redirects.coming(session, found)
    return item_answer(found, said, spoken) | {
        "measured_duration": durations.measured_answer(session, item_id, spoken),
        "handled": places.handled_answer(places.handled(session, found, said.serve_scope), spoken),
        "coming": coming.answer(spoken) if coming else None,
    }


def _went_on(item_id: str, gone: ItemNotInForce) -> Response:
    """308 to the one successor, 300 with the choice after a split. Raises `gone` again when it went nowhere."""
    extra: dict[str, Any] = gone.extra
    went_to = extra.get("went_to")
    if not went_to:
        raise gone
    for one in went_to:
        one["href"] = f"{blp.url_prefix}/items/{one['item_id']}"
    told = {"item_id": item_id, **extra, "text": TEXTS[extra["kind"]][language() == "en"], "went_to": went_to}
    response = Response(orjson.dumps(told), status=308 if len(went_to) == 1 else 300, content_type="application/json")
    response.headers["Cache-Control"] = "no-cache"
    if len(went_to) == 1:
        response.headers["Location"] = went_to[0]["href"]
    return response


@blp.get("/items/<item_id>")
@access.public(PUBLIC)
@kept
@blp.response(200, ItemOut)
def item(item_id: str) -> Response:
    """Show the guide of an item as it is in force today; an old code leads on (308, or 300 with a choice)."""
    wanted = rules.code(item_id)
    try:
        return made(lambda session: _item(session, wanted))
    except ItemNotInForce as gone:
        return _went_on(wanted, gone)


@blp.post("/items/<item_id>/materials")
@access.public(PUBLIC)
@blp.arguments(AnswersIn)
@blp.response(200, MaterialListOut)
def materials(args: dict[str, Any], item_id: str) -> dict[str, Any]:
    """Tell exactly which papers a situation needs."""
    with transaction() as session:
        found = queries.item_in_force(session, rules.code(item_id), clock.today())
        needed = [material_answer(material) for material in rules.materials_for(found, args["answers"])]
        return {"item_id": found.item_id, "version_id": found.version_id, "materials": needed}


@blp.post("/items/<item_id>/guide")
@access.public(PUBLIC)
@blp.arguments(AnswersIn)
@blp.response(200, AdviceOut)
def guide(args: dict[str, Any], item_id: str) -> dict[str, Any]:
    """Ask the next question about the situation, or tell everything that holds in it."""
    with transaction() as session:
        found = queries.item_in_force(session, rules.code(item_id), clock.today())
    return advice_answer(advise(found, args["answers"]), found, language())
