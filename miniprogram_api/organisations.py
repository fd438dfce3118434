"""Organisations: proving to represent one, appointing its people, and one's own roles (ID-11)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.delegation.rules import Scope
from auth.organisations import queries, service
from auth.organisations.queries import RoleView
from auth.organisations.rules import Role, RoleState
from core import clock
from core.actors import Action
from core.db import transaction
from core.identifiers import DocumentType, normalise_document
from core.masking import mask_name
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.schemas import Code, Moment, Text

blp = Blueprint(
    "organisations", __name__, url_prefix="/api/v1/organisations", description="法人和经办人 / Organisations"
)

LEVEL = 3


class OrganisationIn(ma.Schema):
    """The organisation that I represent."""

    credit_code = Text(40, required=True, metadata={"description": "统一社会信用代码"})


class AppointIn(ma.Schema):
    """A person by name and document, and what they may do for the organisation."""

    name = Text(100, required=True)
    document_type = ma.fields.Enum(DocumentType, by_value=True, required=True)
    document_number = Text(40, required=True)
    role = Code(Role, required=True, validate=ma.validate.OneOf((Role.ADMINISTRATOR, Role.HANDLER)))
    scope = Code(Scope, required=True)
    scope_values = ma.fields.List(Text(40), load_default=list, validate=ma.validate.Length(max=100))
    actions = ma.fields.List(Code(Action), required=True, validate=ma.validate.Length(1, len(Action)))
    valid_until = Moment(load_default=None)

    @ma.validates_schema
    def _named(self, data: dict[str, Any], **_: Any) -> None:
        if (data["scope"] in (Scope.ITEMS, Scope.KINDS)) != bool(data["scope_values"]):
            raise ma.ValidationError("请列出事项 / name them exactly with ITEMS or KINDS", "scope_values")


class RoleOut(ma.Schema):
    """A role in an organisation. While ACTIVE, send `id` as `X-Act-For` to act in it."""

    id = ma.fields.UUID(required=True)
    organisation_id = ma.fields.UUID(required=True)
    organisation = ma.fields.String(required=True)
    credit_code = ma.fields.String(required=True)
    holder = ma.fields.Function(lambda role: mask_name(role.holder), required=True)
    role = Code(Role, required=True)
    scope = Code(Scope, required=True)
    scope_values = ma.fields.List(ma.fields.String(), required=True)
    actions = ma.fields.List(ma.fields.String(), required=True)
    state = Code(RoleState, required=True)
    valid_from = Moment(required=True)
    valid_until = Moment(required=True, allow_none=True)


class RolesOut(ma.Schema):
    """Roles, newest first."""

    items = ma.fields.List(ma.fields.Nested(RoleOut), required=True)


@blp.post("")
@access.citizen(level=LEVEL)
@blp.arguments(OrganisationIn)
@blp.response(200, RoleOut)
def register(data: dict[str, Any]) -> RoleView:
    """Prove at the market registry that I am the legal representative of an organisation."""
    actor = access.citizen_actor()
    question, answer = service.ask(actor=actor, credit_code=data["credit_code"])
    with transaction() as session:
        role_id = service.register(session, actor=actor, question=question, answer=answer)
        return queries.view(session, role_id)


@blp.get("/roles")
@access.citizen(level=2)
@blp.response(200, RolesOut)
def my_roles() -> dict[str, Any]:
    """List my roles in organisations, and those offered to me."""
    with transaction() as session:
        return {"items": queries.roles_of_person(session, access.citizen_actor().subject_id, clock.now())}


@blp.get("/people")
@access.citizen(level=2, acts=Action.VIEW)
@blp.response(200, RolesOut)
def list_people() -> dict[str, Any]:
    """List who acts for the organisation that I represent or administer."""
    with transaction() as session:
        return {"items": service.people_of(session, actor=access.citizen_actor())}


@blp.post("/people")
@access.citizen(level=LEVEL, acts=Action.SUBMIT)
@run_once
@blp.arguments(AppointIn)
@blp.response(201, RoleOut)
def appoint(data: dict[str, Any]) -> RoleView:
    """Appoint somebody to act for the organisation that I represent or administer; they have to accept."""
    document = normalise_document(data.pop("document_type"), data.pop("document_number"))
    with transaction() as session:
        role_id = service.appoint(session, actor=access.citizen_actor(), document=document, **data)
        return queries.view(session, role_id)


@blp.post("/roles/<uuid:role_id>/accept")
@access.citizen(level=2)
@blp.response(200, RoleOut)
def accept(role_id: UUID) -> RoleView:
    """Accept a role offered to me."""
    with transaction() as session:
        service.answer(session, actor=access.citizen_actor(), role_id=role_id, accept=True)
        return queries.view(session, role_id)


@blp.post("/roles/<uuid:role_id>/decline")
@access.citizen(level=2)
@blp.response(200, RoleOut)
def decline(role_id: UUID) -> RoleView:
    """Decline a role offered to me."""
    with transaction() as session:
        service.answer(session, actor=access.citizen_actor(), role_id=role_id, accept=False)
        return queries.view(session, role_id)


@blp.post("/roles/<uuid:role_id>/end")
@access.citizen(level=1, acts=Action.SUBMIT)
@blp.response(200, RoleOut)
def end_role(role_id: UUID) -> RoleView:
    """Resign from my role, or dismiss somebody from the organisation that I represent, at once."""
    with transaction() as session:
        service.dismiss(session, actor=access.citizen_actor(), role_id=role_id)
        return queries.view(session, role_id)
