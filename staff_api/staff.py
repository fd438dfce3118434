"""Accounts and roles of members of staff, by administrators kept apart (2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.staff import queries, roles
from auth.staff.confirmations.rules import Act
from auth.staff.management import service
from auth.staff.models import StaffAuthenticatorReset, StaffRoleChange
from auth.staff.queries import Member
from auth.staff.roles import AUDIT_ADMIN, SECURITY_ADMIN, SYSTEM_ADMIN
from casework.places import queries as places
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.idempotency import run_once
from core.web.paging import Page, PageIn, page_out
from core.web.schemas import Moment, Text
from staff_api.login import OwnMemberOut

blp = Blueprint("staff_members", __name__, url_prefix="/staff/v1/members", description="人员管理 / Members of staff")


class MembersQueryIn(PageIn):
    """Whom to list."""

    username = Text(64, load_default=None)


class OpenAccountIn(ma.Schema):
    """A new account; it has no roles. With `expires_at` it is a temporary one."""

    username = Text(64, shortest=3, required=True)
    name = Text(100, required=True)
    hall_id = ma.fields.UUID(load_default=None, allow_none=True)
    department_id = Text(20, load_default=None, allow_none=True)
    expires_at = Moment(load_default=None, allow_none=True)


class GiveRolesIn(ma.Schema):
    """All roles of the member from now on, and why."""

    roles = ma.fields.List(
        ma.fields.String(validate=ma.validate.OneOf(sorted(roles.ALL))),
        required=True,
        validate=ma.validate.Length(max=len(roles.ALL)),
    )
    reason = Text(300, required=True)


class AskAuthenticatorIn(ma.Schema):
    """How the old one was lost, and how the person was recognised."""

    reason = Text(300, required=True)


class StaffMemberOut(OwnMemberOut):
    """A member's account."""

    active = ma.fields.Boolean(required=True)


class OpenedAccountOut(ma.Schema):
    """A new account; password and address for the authenticator app are shown this once."""

    member = ma.fields.Nested(StaffMemberOut, required=True)
    password = ma.fields.String(required=True)
    totp = ma.fields.String(required=True)


class RoleChangeOut(ma.Schema):
    """Who gave which roles."""

    changed_by = ma.fields.UUID(required=True)
    before = ma.fields.List(ma.fields.String(), required=True)
    after = ma.fields.List(ma.fields.String(), required=True)
    reason = ma.fields.String(required=True)
    at = Moment(required=True)


class RoleChangesOut(ma.Schema):
    """All changes, the latest first."""

    items = ma.fields.List(ma.fields.Nested(RoleChangeOut), required=True)


class AuthenticatorResetOut(ma.Schema):
    """A request for a new authenticator, that a second administrator has to agree to."""

    id = ma.fields.UUID(required=True)
    asked_at = Moment(required=True)


class NewAuthenticatorOut(ma.Schema):
    """The address for the authenticator app, shown this once."""

    totp = ma.fields.String(required=True)


@blp.get("")
@access.staff(SYSTEM_ADMIN, SECURITY_ADMIN)
@blp.arguments(MembersQueryIn, location="query")
@blp.response(200, page_out(StaffMemberOut))
def members(args: dict[str, Any]) -> Page[Member]:
    """List the accounts, the newest first."""
    with transaction() as session:
        return queries.page(session, args)


@blp.post("")
@access.staff(SYSTEM_ADMIN, confirm=Act.STAFF)
@run_once
@blp.arguments(OpenAccountIn)
@blp.response(201, OpenedAccountOut)
def open_account(data: dict[str, Any]) -> dict[str, Any]:
    """Open an account without roles; the first password must be changed."""
    with transaction() as session:
        if data["hall_id"] is not None:
            places.hall(session, data["hall_id"])
        made, password, address = service.open_account(session, actor=access.staff_actor(), **data)
    return {"member": made, "password": password, "totp": address}


@blp.post("/<uuid:staff_id>/close")
@access.staff(SYSTEM_ADMIN, confirm=Act.STAFF)
@blp.response(200, StaffMemberOut)
def close(staff_id: UUID) -> Member:
    """Close a leaver's account; sessions and claims end at once."""
    with transaction() as session:
        return service.close(session, actor=access.staff_actor(), staff_id=staff_id)


@blp.put("/<uuid:staff_id>/roles")
@access.staff(SECURITY_ADMIN, confirm=Act.STAFF)
@blp.arguments(GiveRolesIn)
@blp.response(200, StaffMemberOut)
def give_roles(data: dict[str, Any], staff_id: UUID) -> Member:
    """Give a member these roles, never one's own; they count at the next request."""
    with transaction() as session:
        return service.give_roles(session, actor=access.staff_actor(), staff_id=staff_id, **data)


@blp.get("/<uuid:staff_id>/role-changes")
@access.staff(SECURITY_ADMIN, AUDIT_ADMIN)
@blp.response(200, RoleChangesOut)
def role_changes(staff_id: UUID) -> dict[str, Sequence[StaffRoleChange]]:
    """Show who gave a member which roles."""
    with transaction() as session:
        queries.member(session, staff_id)
        return {"items": queries.role_changes(session, staff_id)}


@blp.post("/<uuid:staff_id>/authenticator")
@access.staff(SYSTEM_ADMIN, SECURITY_ADMIN, confirm=Act.STAFF)
@blp.arguments(AskAuthenticatorIn)
@blp.response(200, AuthenticatorResetOut)
def ask_authenticator(data: dict[str, Any], staff_id: UUID) -> StaffAuthenticatorReset:
    """Ask for a new authenticator for a member who lost the old one."""
    with transaction() as session:
        return service.ask_authenticator(session, actor=access.staff_actor(), staff_id=staff_id, **data)


@blp.post("/<uuid:staff_id>/authenticator/agree")
@access.staff(SYSTEM_ADMIN, SECURITY_ADMIN, confirm=Act.STAFF)
@blp.response(200, NewAuthenticatorOut)
def agree_authenticator(staff_id: UUID) -> dict[str, str]:
    """Agree, as a second administrator; the old authenticator is void."""
    with transaction() as session:
        return {"totp": service.agree_authenticator(session, actor=access.staff_actor(), staff_id=staff_id)}
