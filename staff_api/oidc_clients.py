"""Departments' sites that sign people in: register, change, give a new secret, disable. For system administrators."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from auth.oidc.clients import queries, service
from auth.oidc.clients.rules import HIGHEST_LEVEL, SCOPES, AuthMethod, ClientType, Registration
from auth.oidc.keys.rules import ALGORITHMS
from auth.staff.confirmations.rules import Act
from auth.staff.roles import SYSTEM_ADMIN
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment, Text, Whole

blp = Blueprint(
    "staff_oidc_clients",
    __name__,
    url_prefix="/staff/v1/oidc-clients",
    description="统一登录接入 / OpenID clients (staff)",
)


def _addresses(**kwargs: Any) -> Any:
    return ma.fields.List(Text(1_000), validate=ma.validate.Length(max=20), **kwargs)


class ChangeClientIn(ma.Schema):
    """What may be changed; what is left out stays."""

    name_zh = Text(60)
    name_en = Text(120)
    department = Text(60)
    redirect_uris = _addresses()
    post_logout_redirect_uris = _addresses()
    backchannel_logout_uri = Text(1_000, allow_none=True)
    initiate_login_uri = Text(1_000, allow_none=True)
    scopes = ma.fields.List(ma.fields.String(validate=ma.validate.OneOf(SCOPES)))
    max_level = Whole(1, HIGHEST_LEVEL)
    id_token_algorithm = ma.fields.String(validate=ma.validate.OneOf(ALGORITHMS))
    jwks = ma.fields.Dict(keys=ma.fields.String(), allow_none=True)


class RegisterClientIn(ma.Schema):
    """A new client. Addresses are compared letter by letter, so give each one as it will be sent."""

    client_id = Text(64, required=True)
    name_zh = Text(60, required=True)
    name_en = Text(120, required=True)
    department = Text(60, required=True)
    type = ma.fields.Enum(ClientType, by_value=True, required=True)
    auth_method = ma.fields.Enum(AuthMethod, by_value=True, required=True)
    sector = Text(63, required=True, metadata={"description": "Clients of one sector know a person by the same name"})
    redirect_uris = _addresses(required=True)
    post_logout_redirect_uris = _addresses(load_default=list)
    backchannel_logout_uri = Text(1_000, load_default=None, allow_none=True)
    initiate_login_uri = Text(1_000, load_default=None, allow_none=True)
    scopes = ma.fields.List(ma.fields.String(validate=ma.validate.OneOf(SCOPES)), required=True)
    max_level = Whole(1, HIGHEST_LEVEL, required=True)
    id_token_algorithm = ma.fields.String(
        load_default=ALGORITHMS[0],
        validate=ma.validate.OneOf(ALGORITHMS),
        metadata={"description": "What ID tokens and logout tokens are signed with"},
    )
    jwks = ma.fields.Dict(keys=ma.fields.String(), load_default=None, allow_none=True)


class NewSecretIn(ma.Schema):
    """`at_once`: the old secret leaked and must not go on for its 24 hours."""

    at_once = ma.fields.Boolean(load_default=False)


class OidcClientOut(ma.Schema):
    """A client, without its secret."""

    client_id = ma.fields.String(required=True)
    name_zh = ma.fields.String(required=True)
    name_en = ma.fields.String(required=True)
    department = ma.fields.String(required=True)
    type = ma.fields.String(required=True)
    auth_method = ma.fields.String(required=True)
    sector = ma.fields.String(required=True)
    redirect_uris = ma.fields.List(ma.fields.String(), required=True)
    post_logout_redirect_uris = ma.fields.List(ma.fields.String(), required=True)
    backchannel_logout_uri = ma.fields.String(required=True, allow_none=True)
    initiate_login_uri = ma.fields.String(required=True, allow_none=True)
    scopes = ma.fields.List(ma.fields.String(), required=True)
    max_level = ma.fields.Integer(required=True)
    id_token_algorithm = ma.fields.String(required=True)
    jwks = ma.fields.Dict(required=True, allow_none=True)
    active = ma.fields.Boolean(required=True)
    created_at = Moment(required=True)
    changed_at = Moment(required=True)


class RegisteredOut(ma.Schema):
    """A client just registered, and its secret, shown this once."""

    client = ma.fields.Nested(OidcClientOut, required=True)
    secret = ma.fields.String(required=True, allow_none=True)


class SecretOut(ma.Schema):
    """A secret, shown this once."""

    secret = ma.fields.String(required=True)


@blp.get("")
@access.staff(SYSTEM_ADMIN)
@blp.arguments(PageIn, location="query")
@blp.response(200, page_out(OidcClientOut))
def list_clients(args: dict[str, Any]) -> Page[Any]:
    """List the registered clients, the newest first."""
    with transaction() as session:
        return queries.page(session, args)


@blp.post("")
@access.staff(SYSTEM_ADMIN, confirm=Act.KEYS)
@run_once
@blp.arguments(RegisterClientIn)
@blp.response(201, RegisteredOut)
def register(data: dict[str, Any]) -> Any:
    """Register a client; its secret is shown this once."""
    with transaction() as session:
        return service.register(session, actor=access.staff_actor(), wanted=Registration(**data))


@blp.get("/<client_id>")
@access.staff(SYSTEM_ADMIN)
@blp.response(200, OidcClientOut)
def show(client_id: str) -> Any:
    """Show a client."""
    with transaction() as session:
        return queries.registered(session, client_id)


@blp.patch("/<client_id>")
@access.staff(SYSTEM_ADMIN, confirm=Act.KEYS)
@blp.arguments(ChangeClientIn)
@blp.response(200, OidcClientOut)
def change(data: dict[str, Any], client_id: str) -> Any:
    """Change what is known of a client."""
    with transaction() as session:
        return service.change(session, actor=access.staff_actor(), client_id=client_id, **data)


@blp.post("/<client_id>/secret")
@access.staff(SYSTEM_ADMIN, confirm=Act.KEYS)
@blp.arguments(NewSecretIn)
@blp.response(200, SecretOut)
def new_secret(data: dict[str, Any], client_id: str) -> dict[str, str]:
    """Give a client a new secret, shown this once; the old one goes on for 24 hours."""
    with transaction() as session:
        return {"secret": service.rotate_secret(session, actor=access.staff_actor(), client_id=client_id, **data)}


@blp.post("/<client_id>/disable")
@access.staff(SYSTEM_ADMIN)
@blp.response(200, OidcClientOut)
def disable(client_id: str) -> Any:
    """Disable a client; it and its tokens are refused at once."""
    with transaction() as session:
        return service.set_active(session, actor=access.staff_actor(), client_id=client_id, active=False)


@blp.post("/<client_id>/enable")
@access.staff(SYSTEM_ADMIN, confirm=Act.KEYS)
@blp.response(200, OidcClientOut)
def enable(client_id: str) -> Any:
    """Enable a disabled client again."""
    with transaction() as session:
        return service.set_active(session, actor=access.staff_actor(), client_id=client_id, active=True)
