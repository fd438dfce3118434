"""Delegations on the clerks' side: paper and notarised ones, guardians, disputes, agencies, project officers (3.8)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.delegation import queries, service
from auth.delegation.counter import service as counter
from auth.delegation.counter.service import Present
from auth.delegation.models import AgencyContract
from auth.delegation.queries import View
from auth.delegation.rules import Evidence, Kind, Scope, Standing, State
from auth.delegation.service import Wish
from auth.organisations import queries as organisations
from auth.staff.roles import ALL, DEPARTMENT_MANAGER, FRONT_CLERK, HALL_MANAGER, HOTLINE_OFFICER, PROJECT_OFFICER
from core import clock
from core.actors import Action
from core.db import transaction
from core.errors import NotFound
from core.identifiers import DocumentNumber, DocumentType, normalise_credit_code, normalise_document
from core.masking import mask_name
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.schemas import Code, Moment, Text, Whole

blp = Blueprint(
    "staff_delegations", __name__, url_prefix="/staff/v1/delegations", description="委托代办 / Delegations (staff)"
)


class ShownCardIn(ma.Schema):
    """The card in the clerk's hand."""

    document_type = ma.fields.Enum(DocumentType, by_value=True, required=True)
    document_number = Text(40, required=True)


class NamedIn(ShownCardIn):
    """A person at the counter, or named in the paper."""

    name = Text(100, required=True)
    phone = Text(30, load_default=None)

    @ma.post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Present:
        return Present(data["name"], _document(data), data["phone"])


class WishIn(ma.Schema):
    """What the paper allows."""

    kind = Code(Kind, load_default=Kind.MANDATE, validate=ma.validate.OneOf((Kind.MANDATE, Kind.FAMILY, Kind.PROJECT)))
    scope = Code(Scope, required=True)
    scope_values = ma.fields.List(Text(40), load_default=list, validate=ma.validate.Length(max=100))
    actions = ma.fields.List(Code(Action), required=True, validate=ma.validate.Length(1, len(Action)))
    valid_until = Moment(load_default=None)
    purpose = Text(300, shortest=0, lines=True, load_default="")

    @ma.post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Wish:
        return Wish(**data)


class EnterIn(ma.Schema):
    """A paper or notarised delegation that the clerk has seen."""

    principal = ma.fields.Nested(NamedIn, required=True)
    agent = ma.fields.Nested(NamedIn, required=True)
    wish = ma.fields.Nested(WishIn, required=True)
    evidence = Code(Evidence, required=True, validate=ma.validate.OneOf((Evidence.PAPER, Evidence.NOTARISED)))
    document_seen = Text(200, required=True)


class EnterGuardianIn(ma.Schema):
    """A guardian by household register, birth certificate or judgement."""

    minor = ma.fields.Nested(NamedIn, required=True)
    guardian = ma.fields.Nested(NamedIn, required=True)
    born_on = ma.fields.Date(load_default=None)
    relation = Text(40, required=True)
    valid_until = Moment(load_default=None)
    document_seen = Text(200, required=True)


class EnterInstitutionIn(ma.Schema):
    """An institution as guardian; its named staff act."""

    minor = ma.fields.Nested(NamedIn, required=True)
    credit_code = Text(40, required=True)
    born_on = ma.fields.Date(load_default=None)
    document_seen = Text(200, required=True)


class StaffOfferIn(ma.Schema):
    """A family delegation for somebody without a smartphone; `present`: the card is in the clerk's hand."""

    principal = ma.fields.Nested(NamedIn, required=True)
    wish = ma.fields.Nested(WishIn, required=True)
    present = ma.fields.Boolean(required=True, truthy={True}, falsy={False})


class StaffConfirmIn(ma.Schema):
    """The code that the principal read from the short message."""

    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[0-9]{6}\Z"))


class ConfirmInPersonIn(ShownCardIn):
    """The principal's card, and the paper signed."""

    document_seen = Text(200, required=True)


class DisputeIn(ShownCardIn):
    """The child's document, and what the dispute is about."""

    note = Text(300, required=True)


class SettleIn(DisputeIn):
    """Which links go on after the judgement."""

    keep = ma.fields.List(ma.fields.UUID(), required=True, validate=ma.validate.Length(max=10))


class ProjectIn(ma.Schema):
    """A written request for a 代办员: a person's card, or a company's credit code."""

    officer_id = ma.fields.UUID(required=True)
    credit_code = Text(40, required=True)
    wish = ma.fields.Nested(WishIn, required=True)
    document_seen = Text(200, required=True)


class ContractIn(ma.Schema):
    """The city's contract with an agency."""

    credit_code = Text(40, required=True)
    number = Text(60, required=True)
    principals = Whole(1, 10_000, required=True)
    valid_from = Moment(required=True)
    valid_until = Moment(required=True)


class OwnIdentityIn(ShownCardIn):
    """Which citizen the member of staff is."""

    name = Text(100, required=True)


class StaffDelegationOut(ma.Schema):
    """A delegation as staff see it; names masked."""

    id = ma.fields.UUID(attribute="row.id", required=True)
    kind = Code(Kind, attribute="row.kind", required=True)
    principal = ma.fields.Function(lambda view: mask_name(view.principal) if view.principal else "**", required=True)
    agent = ma.fields.Function(
        lambda view: mask_name(view.agent) if view.agent else None, required=True, allow_none=True
    )
    scope = Code(Scope, attribute="row.scope", required=True)
    scope_values = ma.fields.List(ma.fields.String(), attribute="row.scope_values", required=True)
    actions = ma.fields.List(ma.fields.String(), attribute="row.actions", required=True)
    evidence = Code(Evidence, attribute="row.evidence", required=True)
    state = Code(State, attribute="row.state", required=True)
    standing = Code(Standing, required=True)
    valid_until = Moment(attribute="row.valid_until", required=True, allow_none=True)


class StaffDelegationsOut(ma.Schema):
    """Several delegations."""

    items = ma.fields.List(ma.fields.Nested(StaffDelegationOut), required=True)


class StaffOfferOut(ma.Schema):
    """A new offer, and the code to read out, shown this once."""

    delegation = ma.fields.Nested(StaffDelegationOut, required=True)
    code = ma.fields.String(required=True)


class ContractOut(ma.Schema):
    """A contract."""

    number = ma.fields.String(required=True)
    principals = ma.fields.Integer(required=True)
    valid_from = Moment(required=True)
    valid_until = Moment(required=True)


def _document(data: dict[str, Any]) -> DocumentNumber:
    return normalise_document(data.pop("document_type"), data.pop("document_number"), today=clock.today())


def _organisation(session: Any, credit_code: str) -> UUID:
    found = organisations.find_by_credit_code(session, normalise_credit_code(credit_code).code)
    if found is None:
        raise NotFound()
    return found


@blp.post("")
@access.staff(FRONT_CLERK)
@run_once
@blp.arguments(EnterIn)
@blp.response(201, StaffDelegationOut)
def enter(data: dict[str, Any]) -> View:
    """Enter a paper or notarised delegation."""
    with transaction() as session:
        row = counter.enter(session, actor=access.staff_actor(), **data)
        return queries.view(session, row, clock.now())


@blp.post("/guardians")
@access.staff(FRONT_CLERK)
@run_once
@blp.arguments(EnterGuardianIn)
@blp.response(201, StaffDelegationOut)
def enter_guardian(data: dict[str, Any]) -> View:
    """Enter a guardian by the documents shown."""
    with transaction() as session:
        row = counter.enter_guardian(session, actor=access.staff_actor(), **data)
        return queries.view(session, row, clock.now())


@blp.post("/institutions")
@access.staff(FRONT_CLERK)
@run_once
@blp.arguments(EnterInstitutionIn)
@blp.response(201, StaffDelegationOut)
def enter_institution(data: dict[str, Any]) -> View:
    """Enter an institution as the guardian of a child."""
    with transaction() as session:
        institution_id = _organisation(session, data.pop("credit_code"))
        row = counter.enter_institution(session, actor=access.staff_actor(), institution_id=institution_id, **data)
        return queries.view(session, row, clock.now())


@blp.post("/offers")
@access.staff(FRONT_CLERK, HOTLINE_OFFICER)
@run_once
@blp.arguments(StaffOfferIn)
@blp.response(201, StaffOfferOut)
def offer_for(data: dict[str, Any]) -> dict[str, Any]:
    """Open a family delegation for somebody without a smartphone; read the code out."""
    with transaction() as session:
        made = counter.offer_for(session, actor=access.staff_actor(), **data)
        return {"delegation": queries.view(session, made.row, clock.now()), "code": made.code}


@blp.post("/<uuid:delegation_id>/confirm")
@access.staff(FRONT_CLERK, HOTLINE_OFFICER)
@blp.arguments(StaffConfirmIn)
@blp.response(200, StaffDelegationOut)
def confirm(data: dict[str, Any], delegation_id: UUID) -> View:
    """Enter the code by which the principal agrees."""
    actor = access.staff_actor()
    with transaction() as session:
        outcome = service.confirm_by_code(session, actor=actor, delegation_id=delegation_id, code=data["code"])
        shown = None if outcome.row is None else queries.view(session, outcome.row, clock.now())
    outcome.insist()
    return shown  # type: ignore[return-value]  # there, unless the line above raised


@blp.post("/<uuid:delegation_id>/confirm-in-person")
@access.staff(FRONT_CLERK)
@blp.arguments(ConfirmInPersonIn)
@blp.response(200, StaffDelegationOut)
def confirm_in_person(data: dict[str, Any], delegation_id: UUID) -> View:
    """The principal agrees at the counter, card in hand."""
    document = _document(data)
    with transaction() as session:
        row = counter.confirm_in_person(
            session, actor=access.staff_actor(), delegation_id=delegation_id, document=document, **data
        )
        return queries.view(session, row, clock.now())


@blp.post("/<uuid:delegation_id>/revoke")
@access.staff(FRONT_CLERK)
@blp.arguments(ShownCardIn)
@blp.response(200, StaffDelegationOut)
def revoke(data: dict[str, Any], delegation_id: UUID) -> View:
    """End a delegation for its principal, card in hand."""
    document = _document(data)
    with transaction() as session:
        row = counter.revoke(session, actor=access.staff_actor(), delegation_id=delegation_id, document=document)
        return queries.view(session, row, clock.now())


@blp.post("/disputes")
@access.staff(FRONT_CLERK)
@blp.arguments(DisputeIn)
@blp.response(200, StaffDelegationsOut)
def dispute(data: dict[str, Any]) -> dict[str, Any]:
    """Close a child's guardian links until a dispute is settled."""
    document = _document(data)
    with transaction() as session:
        rows = counter.dispute(session, actor=access.staff_actor(), document=document, note=data["note"])
        return {"items": queries.views(session, rows, clock.now())}


@blp.post("/disputes/settle")
@access.staff(FRONT_CLERK)
@blp.arguments(SettleIn)
@blp.response(200, StaffDelegationsOut)
def settle(data: dict[str, Any]) -> dict[str, Any]:
    """Settle a dispute: which guardian links go on."""
    document, keep = _document(data), set(data["keep"])
    with transaction() as session:
        rows = counter.settle(session, actor=access.staff_actor(), document=document, guardians=keep, note=data["note"])
        return {"items": queries.views(session, rows, clock.now())}


@blp.post("/projects")
@access.staff(HALL_MANAGER)
@run_once
@blp.arguments(ProjectIn)
@blp.response(201, StaffDelegationOut)
def request_project(data: dict[str, Any]) -> View:
    """Assign a project officer by the applicant's written request."""
    with transaction() as session:
        principal_id = _organisation(session, data.pop("credit_code"))
        row = counter.request_project(session, actor=access.staff_actor(), principal_id=principal_id, **data)
        return queries.view(session, row, clock.now())


@blp.get("/projects")
@access.staff(PROJECT_OFFICER)
@blp.response(200, StaffDelegationsOut)
def my_projects() -> dict[str, Any]:
    """List the projects I help."""
    with transaction() as session:
        rows = queries.projects_of(session, access.staff_actor().staff_id, clock.now())
        return {"items": queries.views(session, rows, clock.now())}


@blp.post("/contracts")
@access.staff(DEPARTMENT_MANAGER)
@run_once
@blp.arguments(ContractIn)
@blp.response(201, ContractOut)
def sign_contract(data: dict[str, Any]) -> AgencyContract:
    """Record the city's contract with an agency."""
    with transaction() as session:
        agency_id = _organisation(session, data.pop("credit_code"))
        return counter.sign_contract(session, actor=access.staff_actor(), agency_id=agency_id, **data)


@blp.put("/own-identity")
@access.staff(*ALL)
@blp.arguments(OwnIdentityIn)
@blp.response(204)
def declare_own_identity(data: dict[str, Any]) -> None:
    """Say which citizen I am, so that I don't act for others at my own hall."""
    document = _document(data)
    with transaction() as session:
        counter.declare_own_identity(session, actor=access.staff_actor(), document=document, **data)
