"""Signing in and out of the console, and who one is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma

from auth.staff import queries, rules, service
from auth.staff.confirmations import service as confirmations
from auth.staff.confirmations.models import StaffConfirmation
from auth.staff.confirmations.rules import Act
from auth.staff.errors import ConfirmationRefused
from auth.staff.passwords import service as passwords
from auth.staff.queries import Member, OwnSession
from auth.staff.service import SignedIn
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import request_address
from core.web.schemas import Code, Moment, Text

blp = Blueprint("staff_login", __name__, url_prefix="/staff/v1", description="登录 / Signing in (staff)")


class StaffSignInIn(ma.Schema):
    """Password and one-time code: both factors at every sign-in."""

    username = Text(64, shortest=3, required=True)
    password = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    totp = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[0-9]{6}\Z"))


class MemberOut(ma.Schema):
    """A member of staff."""

    id = ma.fields.UUID(required=True)
    username = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    roles = ma.fields.List(ma.fields.String(), required=True)
    permissions = ma.fields.List(ma.fields.String(), required=True)
    hall_id = ma.fields.UUID(required=True, allow_none=True)
    department_id = ma.fields.String(required=True, allow_none=True)


class OwnMemberOut(MemberOut):
    """The member who is signed in. `must_change_password`: nothing else can be done before."""

    must_change_password = ma.fields.Boolean(required=True)
    expires_at = Moment(required=True, allow_none=True, metadata={"description": "The end of a temporary account"})


class StaffSessionOut(ma.Schema):
    """A session: send the token as `Authorization: Bearer`. It ends after 15 idle minutes."""

    access_token = ma.fields.String(required=True)
    expires_at = Moment(required=True)
    member = ma.fields.Nested(OwnMemberOut, required=True)


class ConfirmActIn(ma.Schema):
    """The kind of act, and the password or a one-time code that wasn't used yet."""

    act = ma.fields.Enum(Act, by_value=True, required=True)
    password = ma.fields.String(load_default=None, validate=ma.validate.Length(1, 200))
    totp = ma.fields.String(load_default=None, validate=ma.validate.Regexp(r"\A[0-9]{6}\Z"))

    @ma.validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if (data["password"] is None) == (data["totp"] is None):
            raise ma.ValidationError("请填写密码或动态码之一 / give exactly one", "password")


class ConfirmedActOut(ma.Schema):
    """Until when acts of this kind are confirmed in this session."""

    act = Code(Act, required=True)
    expires_at = Moment(required=True)


class ChangePasswordIn(ma.Schema):
    """The password in use, and the new one."""

    old = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    new = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))


class OwnStaffSessionOut(ma.Schema):
    """A place where I am signed in."""

    id = ma.fields.UUID(required=True)
    created_at = Moment(required=True)
    last_seen_at = Moment(required=True)
    expires_at = Moment(required=True)
    address = ma.fields.String(required=True, allow_none=True)
    current = ma.fields.Boolean(required=True)


class OwnStaffSessionsOut(ma.Schema):
    """All of them, the newest first."""

    items = ma.fields.List(ma.fields.Nested(OwnStaffSessionOut), required=True)


@blp.post("/login")
@access.public("signing in")
@blp.arguments(StaffSignInIn)
@blp.response(200, StaffSessionOut)
def sign_in(data: dict[str, Any]) -> SignedIn:
    """Sign in with password and one-time code."""
    with transaction() as session:
        signed_in = service.sign_in(session, address=request_address(), **data)
    if signed_in is None:
        raise service.refused()
    return signed_in


@blp.post("/logout")
@access.staff_themselves()
@blp.response(204)
def sign_out() -> None:
    """Sign out."""
    with transaction() as session:
        service.sign_out(session, actor=access.staff_actor())


@blp.get("/me")
@access.staff_themselves()
@blp.response(200, OwnMemberOut)
def me() -> Member:
    """Show who is signed in and what the roles permit."""
    with transaction() as session:
        return queries.member(session, access.staff_actor().staff_id)


def _refusal() -> ConfirmationRefused:
    return ConfirmationRefused(failures=rules.FAILURES_TO_LOCK)


@blp.post("/login/confirm")
@access.staff_themselves()
@blp.arguments(ConfirmActIn)
@blp.response(200, ConfirmedActOut)
def confirm(data: dict[str, Any]) -> StaffConfirmation:
    """Show password or code again for a kind of act; it stands for five minutes in this session."""
    with transaction() as session:
        made = confirmations.confirm(session, actor=access.staff_actor(), **data)
    if made is None:
        raise _refusal()
    return made


@blp.post("/me/password")
@access.staff_themselves()
@blp.arguments(ChangePasswordIn)
@blp.response(204)
def change_password(data: dict[str, Any]) -> None:
    """Change my password; every other session of mine ends."""
    with transaction() as session:
        changed = passwords.change(session, actor=access.staff_actor(), **data)
    if not changed:
        raise _refusal()


@blp.get("/me/sessions")
@access.staff_themselves()
@blp.response(200, OwnStaffSessionsOut)
def my_sessions() -> dict[str, list[OwnSession]]:
    """List where I am signed in."""
    with transaction() as session:
        return {"items": queries.own_sessions(session, access.staff_actor())}


@blp.delete("/me/sessions/<uuid:session_id>")
@access.staff_themselves()
@blp.response(204)
def end_session(session_id: UUID) -> None:
    """Sign out somewhere else."""
    with transaction() as session:
        service.end_own_session(session, actor=access.staff_actor(), session_id=session_id)
