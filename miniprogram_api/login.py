"""Signing in and out, by a code to the phone or by WeChat."""

from __future__ import annotations

from typing import Any, cast

import marshmallow as ma
from flask import request

from auth.factors import rules, service
from auth.sessions import service as sessions
from auth.sessions.rules import LIFETIMES, Origin
from auth.sessions.service import Fresh, Tokens
from core.actors import Channel
from core.db import transaction
from core.errors import NotAuthenticated
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import language, request_address
from core.web.schemas import Text

CLEARED = {"Clear-Site-Data": '"cache", "cookies", "storage"'}
"""What a browser must forget when somebody signs out: the next person may sit at the same machine (PEERS S10)."""

blp = Blueprint("login", __name__, url_prefix="/api/v1/login", description="登录 / Signing in")


class CodeIn(ma.Schema):
    """The phone that wants a code."""

    phone = Text(40, required=True)


class DeviceHeader(ma.Schema):
    """Which device asks: a random id it has kept since it was set up."""

    class Meta:
        """A request has other headers too."""

        unknown = ma.EXCLUDE

    device = ma.fields.String(
        data_key="X-Device-Id", load_default=None, validate=ma.validate.Regexp(r"\A[A-Za-z0-9._-]{8,64}\Z")
    )


class CodeSentOut(ma.Schema):
    """The same for every phone. Times in seconds."""

    expires_in = ma.fields.Integer(required=True)
    resend_after = ma.fields.Integer(required=True)


class CodeSignInIn(ma.Schema):
    """A phone, the code it got, and where the person signs in."""

    phone = Text(40, required=True)
    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[0-9]{6}\Z"))
    channel = ma.fields.String(required=True, validate=ma.validate.OneOf(tuple(LIFETIMES)))


class WeChatCodeIn(ma.Schema):
    """A one-time code of the mini-program: of `wx.login`, or of the phone number button."""

    code = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))


class SealedPhoneIn(ma.Schema):
    """A code of `wx.login`, and what the button `getPhoneNumber` of older versions gave for that very sign-in."""

    code = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    encrypted_data = ma.fields.String(required=True, validate=ma.validate.Length(1, 4_000))
    iv = ma.fields.String(required=True, validate=ma.validate.Length(1, 40))


class PhoneCodeIn(ma.Schema):
    """A phone and the code it got."""

    phone = Text(40, required=True)
    code = ma.fields.String(required=True, validate=ma.validate.Regexp(r"\A[0-9]{6}\Z"))


class RefreshIn(ma.Schema):
    """The refresh token got last."""

    refresh_token = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))


class FreshOut(ma.Schema):
    """An access token, for `Authorization: Bearer`, and the level the person has now (0 to 3)."""

    access_token = ma.fields.String(required=True)
    expires_in = ma.fields.Integer(required=True, metadata={"description": "Seconds"})
    level = ma.fields.Integer(required=True)


class TokensOut(FreshOut):
    """A signed-in device. A refresh token works once: keep the one that comes back."""

    refresh_token = ma.fields.String(required=True)
    refresh_expires_in = ma.fields.Integer(required=True, metadata={"description": "Seconds"})
    session_id = ma.fields.UUID(required=True)


def origin_of(channel: str) -> Origin:
    """Where this request comes from."""
    return Origin(cast(Channel, channel), request_address(), request.user_agent.string, language())


def code_times() -> dict[str, int]:
    """How long a code is good and when the next may be asked for, in seconds."""
    return {"expires_in": rules.POLICY.valid.seconds, "resend_after": rules.POLICY.resend_after.seconds}


@blp.post("/code")
@access.public("signing in", limit=rules.CODES_PER_ADDRESS)
@blp.arguments(DeviceHeader, location="headers")
@blp.arguments(CodeIn)
@blp.response(202, CodeSentOut)
def send_code(header: dict[str, Any], data: dict[str, Any]) -> dict[str, int]:
    """Send a one-time code for signing in to a phone; it is good for nothing else."""
    with transaction() as session:
        service.send_code(session, phone=data["phone"], use=rules.SIGN_IN, device=header["device"])
    return code_times()


@blp.post("/code/verify")
@access.public("signing in", limit=rules.TRIES_PER_ADDRESS)
@blp.arguments(CodeSignInIn())
@blp.response(200, TokensOut)
def sign_in_by_code(data: dict[str, Any]) -> Tokens:
    """Sign in with the code that a phone got."""
    proven = service.check_code(phone=data["phone"], code=data["code"], use=rules.SIGN_IN)
    with transaction() as session:
        outcome = service.sign_in_by_phone(
            session, phone=data["phone"], proven=proven, origin=origin_of(data["channel"])
        )
    return outcome.insist()


@blp.post("/wechat")
@access.public("signing in", limit=rules.SIGN_INS_PER_ADDRESS)
@blp.arguments(WeChatCodeIn)
@blp.response(200, TokensOut)
def sign_in_by_wechat(data: dict[str, Any]) -> Tokens:
    """Sign in with the mini-program's login code."""
    identity = service.ask_wechat(data["code"])
    with transaction() as session:
        outcome = service.sign_in_by_wechat(session, identity_of=identity, origin=origin_of("WXMP"))
    return outcome.insist()


@blp.post("/wechat/sealed-phone")
@access.public("signing in", limit=rules.SIGN_INS_PER_ADDRESS)
@blp.arguments(SealedPhoneIn)
@blp.response(200, TokensOut)
def sign_in_with_sealed_phone(data: dict[str, Any]) -> Tokens:
    """Sign in with the mini-program's login code and the phone sealed for it."""
    identity, phone = service.ask_wechat_sealed(**data)
    with transaction() as session:
        outcome = service.sign_in_by_wechat_with_phone(
            session, identity_of=identity, phone=phone, origin=origin_of("WXMP")
        )
    return outcome.insist()


@blp.post("/phone")
@access.citizen(level=0, limit=rules.PHONES_PER_PERSON)
@blp.arguments(PhoneCodeIn)
@blp.response(200, FreshOut)
def add_phone_by_code(data: dict[str, Any]) -> Fresh:
    """Add a phone by the code that `POST /api/v1/account/phone/code` sent to it."""
    actor = access.citizen_actor()
    phone = service.prove_phone(**data, use=rules.binding_within(actor.session_id))
    with transaction() as session:
        return service.add_phone(session, actor=actor, phone=phone)


@blp.post("/wechat/phone")
@access.citizen(level=0, limit=rules.PHONES_PER_PERSON)
@blp.arguments(WeChatCodeIn)
@blp.response(200, FreshOut)
def add_phone(data: dict[str, Any]) -> Fresh:
    """Add the phone number that WeChat has verified."""
    phone = service.ask_wechat_phone(data["code"])
    with transaction() as session:
        return service.add_phone(session, actor=access.citizen_actor(), phone=phone)


@blp.post("/refresh")
@access.public("the refresh token is the credential", limit=rules.SIGN_INS_PER_ADDRESS)
@blp.arguments(RefreshIn())
@blp.response(200, TokensOut)
def refresh(data: dict[str, Any]) -> Tokens:
    """Exchange a refresh token for a fresh pair."""
    with transaction() as session:
        tokens = sessions.refresh(
            session,
            refresh_token=data["refresh_token"],
            address=request_address(),
            device=request.user_agent.string,
        )
    if tokens is None:
        raise NotAuthenticated()
    return tokens


@blp.post("/logout")
@access.citizen(level=0)
@blp.response(204, headers={"Clear-Site-Data": {"description": "Nothing of the person stays in a browser"}})
def sign_out() -> tuple[str, int, dict[str, str]]:
    """Sign this device out."""
    with transaction() as session:
        sessions.sign_out(session, actor=access.citizen_actor())
    return "", 204, CLEARED
