"""Signing in and out of the console, and who one is."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from auth.staff import queries, roles, service
from auth.staff.queries import Member
from auth.staff.service import SignedIn
from core.db import transaction
from core.web import access
from core.web.request_context import request_address
from core.web.schemas import Moment, Text

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


class StaffSessionOut(ma.Schema):
    """A session: send the token as `Authorization: Bearer`. It ends after 15 idle minutes."""

    access_token = ma.fields.String(required=True)
    expires_at = Moment(required=True)
    member = ma.fields.Nested(MemberOut, required=True)


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
@access.staff(*roles.ALL)
@blp.response(204)
def sign_out() -> None:
    """Sign out."""
    with transaction() as session:
        service.sign_out(session, actor=access.staff_actor())


@blp.get("/me")
@access.staff(*roles.ALL)
@blp.response(200, MemberOut)
def me() -> Member:
    """Show who is signed in and what the roles permit."""
    with transaction() as session:
        return queries.member(session, access.staff_actor().staff_id)
