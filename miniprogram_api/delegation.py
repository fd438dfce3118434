"""Letting others act for oneself, acting for others, and guardians of minors (3.8)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.acting import queries as acting
from auth.delegation import queries, service
from auth.delegation.guardians import service as guardians
from auth.delegation.models import GuardianAgreement
from auth.delegation.queries import View
from auth.delegation.rules import Evidence, Kind, Scope, Standing, State
from auth.delegation.service import Offer, Wish
from auth.identity.rules import Purpose
from casework.catalogue import queries as catalogue
from core import clock
from core.actors import Action, Capacity
from core.db import transaction
from core.identifiers import DocumentType, normalise_document
from core.masking import mask_name
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Code, Moment, Text

blp = Blueprint("delegation", __name__, url_prefix="/api/v1/delegations", description="委托代办 / Acting for others")

LEVEL = 2


class DelegationsIn(PageIn):
    """Which side of the delegations."""

    side = ma.fields.String(
        load_default="given",
        validate=ma.validate.OneOf(("given", "held")),
        metadata={"description": "given: what I let others do; held: what I may do for others"},
    )


class OfferIn(ma.Schema):
    """What somebody may do for me. Family: agent-friendly items, agreed to by the code sent to my phone; else I sign."""

    kind = Code(Kind, required=True, validate=ma.validate.OneOf((Kind.MANDATE, Kind.FAMILY, Kind.AGENCY)))
    scope = Code(Scope, required=True)
    scope_values = ma.fields.List(
        Text(40),
        load_default=list,
        validate=ma.validate.Length(max=100),
        metadata={"description": "Item ids for ITEMS, zone codes for KINDS"},
    )
    actions = ma.fields.List(Code(Action), required=True, validate=ma.validate.Length(1, len(Action)))
    valid_until = Moment(load_default=None)
    purpose = Text(300, shortest=0, lines=True, load_default="")

    @ma.post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Wish:
        return Wish(**data)


class TakeIn(ma.Schema):
    """The code that the principal passed on."""

    code = Text(20, required=True, metadata={"description": "Eight characters; spaces and small letters are fine"})


class ConfirmIn(ma.Schema):
    """The code sent to the principal's own phone."""

    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[0-9]{6}\Z"))


class GuardianIn(ma.Schema):
    """A child as the household register or the birth certificate names it."""

    name = Text(100, required=True)
    document_type = ma.fields.Enum(DocumentType, by_value=True, required=True)
    document_number = Text(40, required=True)


class AgreementIn(ma.Schema):
    """The item that a minor of 8 to 17 may do alone, and until when."""

    item_id = Text(40, required=True)
    valid_until = Moment(required=True)


class AgreementOut(ma.Schema):
    """A guardian's agreement."""

    item_id = ma.fields.String(required=True)
    given_at = Moment(required=True)
    valid_until = Moment(required=True)


class DelegationOut(ma.Schema):
    """A delegation; names masked. `standing` is what it is worth now, whatever its state."""

    id = ma.fields.UUID(required=True)
    kind = Code(Kind, required=True)
    principal = ma.fields.Function(lambda view: mask_name(view.principal) if view.principal else "**", required=True)
    agent = ma.fields.Function(
        lambda view: mask_name(view.agent) if view.agent else None, required=True, allow_none=True
    )
    scope = Code(Scope, required=True)
    scope_values = ma.fields.List(ma.fields.String(), required=True)
    actions = ma.fields.List(ma.fields.String(), required=True)
    relation = ma.fields.String(required=True)
    purpose = ma.fields.String(required=True)
    evidence = Code(Evidence, required=True)
    state = Code(State, required=True)
    standing = Code(Standing, required=True)
    valid_from = Moment(required=True)
    valid_until = Moment(required=True, allow_none=True)
    offer_until = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True)

    def get_attribute(self, obj: View, attr: str, default: Any) -> Any:
        """What the view adds, else the delegation's own."""
        return super().get_attribute(obj if attr in {"standing", "history"} else obj.row, attr, default)


class DelegationStepOut(ma.Schema):
    """One move of a delegation."""

    at = Moment(required=True)
    state = ma.fields.String(attribute="to_state", required=True)


class DelegationDetailOut(DelegationOut):
    """A delegation with its history."""

    history = ma.fields.List(ma.fields.Nested(DelegationStepOut), required=True)


class OfferOut(ma.Schema):
    """A new offer, and the code to pass on, shown this once."""

    delegation = ma.fields.Nested(DelegationOut, required=True)
    code = ma.fields.String(required=True)


class ActingOut(ma.Schema):
    """Somebody or an organisation one may act for now: send `id` as `X-Act-For`."""

    id = ma.fields.UUID(required=True)
    capacity = Code(Capacity, required=True)
    name = ma.fields.String(required=True, metadata={"description": "Masked for a person"})
    organisation = ma.fields.Boolean(required=True)
    actions = ma.fields.List(ma.fields.String(), required=True)
    scope = Code(Scope, required=True)
    scope_values = ma.fields.List(ma.fields.String(), required=True)
    valid_until = Moment(required=True, allow_none=True)


class WhomOut(ma.Schema):
    """Everybody one may act for now."""

    items = ma.fields.List(ma.fields.Nested(ActingOut), required=True)


@blp.get("")
@access.citizen(level=LEVEL)
@blp.arguments(DelegationsIn, location="query")
@blp.response(200, page_out(DelegationOut))
def list_delegations(args: dict[str, Any]) -> Page[View]:
    """List what I let others do, or what I may do for others."""
    page = queries.page_given if args["side"] == "given" else queries.page_held
    with transaction() as session:
        found = page(session, access.citizen_actor().subject_id, args)
        return Page(queries.views(session, found.items, clock.now()), found.next_cursor)


@blp.get("/acting")
@access.citizen(level=LEVEL)
@blp.response(200, WhomOut)
def whom_may_i_act_for() -> dict[str, Any]:
    """List whom I may act for now."""
    with transaction() as session:
        return {"items": acting.whom(session, access.citizen_actor().subject_id, clock.now())}


@blp.post("")
@access.citizen(level=LEVEL, acts=Action.SUBMIT)
@run_once
@blp.arguments(OfferIn)
@blp.response(201, OfferOut)
def offer(wish: Wish) -> dict[str, Any]:
    """Offer to let somebody act for me; the answer holds the code to pass on."""
    with transaction() as session:
        made: Offer = service.offer(session, actor=access.citizen_actor(), wish=wish)
        return {"delegation": queries.view(session, made.row, clock.now()), "code": made.code}


@blp.post("/take")
@access.citizen(level=LEVEL, acts=Action.SUBMIT)
@blp.arguments(TakeIn)
@blp.response(200, DelegationOut)
def take(data: dict[str, Any]) -> View:
    """Take an offer by its code; the principal still has to agree."""
    with transaction() as session:
        outcome = service.take(session, actor=access.citizen_actor(), code=data["code"])
        shown = None if outcome.row is None else queries.view(session, outcome.row, clock.now())
    outcome.insist()
    return shown  # type: ignore[return-value]  # there, unless the line above raised


@blp.get("/<uuid:delegation_id>")
@access.citizen(level=LEVEL)
@blp.response(200, DelegationDetailOut)
def get_delegation(delegation_id: UUID) -> View:
    """Show one of my delegations, given or held, with its history."""
    with transaction() as session:
        row = queries.of_side(session, delegation_id, access.citizen_actor().subject_id)
        return queries.detail(session, row, clock.now())


@blp.post("/<uuid:delegation_id>/confirm")
@access.citizen(level=LEVEL)
@blp.arguments(ConfirmIn)
@blp.response(200, DelegationOut)
def confirm(data: dict[str, Any], delegation_id: UUID) -> View:
    """Agree to a family delegation by the code sent to the principal's phone."""
    actor = access.citizen_actor()
    with transaction() as session:
        outcome = service.confirm_by_code(session, actor=actor, delegation_id=delegation_id, code=data["code"])
        shown = None if outcome.row is None else queries.view(session, outcome.row, clock.now())
    outcome.insist()
    return shown  # type: ignore[return-value]  # there, unless the line above raised


@blp.post("/<uuid:delegation_id>/resend-code")
@access.citizen(level=LEVEL)
@blp.response(200, DelegationOut)
def resend_code(delegation_id: UUID) -> View:
    """Send the principal another code to agree with; the former one ends."""
    with transaction() as session:
        row = service.resend_confirmation(session, actor=access.citizen_actor(), delegation_id=delegation_id)
        return queries.view(session, row, clock.now())


@blp.post("/<uuid:delegation_id>/sign")
@access.citizen(level=4, purpose=Purpose.DELEGATE, acts=Action.SUBMIT)
@blp.response(200, DelegationOut)
def sign(delegation_id: UUID) -> View:
    """Agree to who took my offer, with a fresh proof of who I am."""
    with transaction() as session:
        row = service.sign(session, actor=access.citizen_actor(), delegation_id=delegation_id)
        return queries.view(session, row, clock.now())


@blp.post("/<uuid:delegation_id>/end")
@access.citizen(level=1, acts=Action.SUBMIT)
@blp.response(200, DelegationOut)
def end(delegation_id: UUID) -> View:
    """Revoke what I gave, or give up or decline what I hold, at once."""
    with transaction() as session:
        row = service.end(session, actor=access.citizen_actor(), delegation_id=delegation_id)
        return queries.view(session, row, clock.now())


@blp.post("/guardianships")
@access.citizen(level=3)
@blp.arguments(GuardianIn)
@blp.response(200, DelegationOut)
def link_child(data: dict[str, Any]) -> View:
    """Link a child whose guardian I am by household or birth data."""
    actor = access.citizen_actor()
    document = normalise_document(data["document_type"], data["document_number"], today=clock.today())
    asked = guardians.ask(actor=actor, name=data["name"], document=document)
    with transaction() as session:
        row = guardians.link(session, actor=actor, asked=asked)
        return queries.view(session, row, clock.now())


@blp.post("/<uuid:delegation_id>/agreements")
@access.citizen(level=3)
@run_once
@blp.arguments(AgreementIn)
@blp.response(201, AgreementOut)
def agree(data: dict[str, Any], delegation_id: UUID) -> GuardianAgreement:
    """Let a minor of 8 to 17 do one item alone for a while."""
    with transaction() as session:
        catalogue.item_in_force(session, data["item_id"], clock.today())
        return guardians.agree(session, actor=access.citizen_actor(), delegation_id=delegation_id, **data)


@blp.delete("/<uuid:delegation_id>/agreements/<string:item_id>")
@access.citizen(level=LEVEL)
@blp.response(204)
def take_back_agreement(delegation_id: UUID, item_id: str) -> None:
    """Take back that a minor may do an item alone."""
    with transaction() as session:
        guardians.take_back(session, actor=access.citizen_actor(), delegation_id=delegation_id, item_id=item_id)
