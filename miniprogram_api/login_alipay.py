"""Signing in with Alipay: in the App and in a browser, never inside WeChat."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import marshmallow as ma
from flask import Response

from auth.factors import rules
from auth.factors.alipay import service
from auth.factors.alipay.errors import AlipayCancelled
from auth.redirects import service as redirects
from auth.redirects.errors import RedirectExpired
from auth.redirects.rules import POLICY
from auth.sessions.rules import LIFETIMES
from auth.sessions.service import Tokens
from core import ids
from core.db import transaction
from core.web import access
from core.web.blueprint import Blueprint
from core.web.request_context import language
from core.web.schemas import Text
from miniprogram_api.login import TokensOut, origin_of

blp = Blueprint("login_alipay", __name__, url_prefix="/api/v1/login/alipay", description="支付宝登录 / Alipay sign-in")

_PAGE = """<!doctype html>
<html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title><h1>{title}</h1><p>{text}</p></html>
"""
_TITLES = {"zh": "请返回重新开始", "en": "Please go back and start again"}


class AlipayStartIn(ma.Schema):
    """Where the person signs in, and where the browser goes afterwards: an address of ours, or an allowed one."""

    channel = ma.fields.String(required=True, validate=ma.validate.OneOf(tuple(LIFETIMES)))
    return_to = ma.fields.String(required=True, validate=ma.validate.Length(1, 1_000))


class AlipayTripOut(ma.Schema):
    """Open `url`. The browser comes back to `return_to` with `state`, and `auth_code` or `error=cancelled`."""

    url = ma.fields.URL(required=True, require_tld=False)
    state = ma.fields.String(required=True)
    expires_in = ma.fields.Integer(required=True, metadata={"description": "Seconds"})


class AlipaySignInTripOut(AlipayTripOut):
    """Keep `secret` on this device, out of any address: only with it can the sign-in be finished."""

    secret = ma.fields.String(required=True)


class AlipayReturnQuery(ma.Schema):
    """What Alipay adds to the address; more than this may come."""

    class Meta:
        """Alipay's other parameters say nothing we need."""

        unknown = ma.EXCLUDE

    state = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))
    auth_code = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


class AlipayFinishIn(ma.Schema):
    """What the browser came back with, and the secret kept from the start."""

    state = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    secret = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    auth_code = Text(200, load_default=None, allow_none=True)


@blp.post("")
@access.public("signing in", limit=rules.SIGN_INS_PER_ADDRESS)
@blp.arguments(AlipayStartIn)
@blp.response(200, AlipaySignInTripOut)
def start(data: dict[str, Any]) -> dict[str, Any]:
    """Begin to sign in with Alipay."""
    secret = ids.random_token(256)
    with transaction() as session:
        url, state = service.start(
            session, origin=origin_of(data["channel"]), return_to=data["return_to"], holder=secret
        )
    return {"url": url, "state": state, "secret": secret, "expires_in": seconds(POLICY.valid)}


@blp.get("/return")
@access.public("a browser on its way back from Alipay", limit=rules.SIGN_INS_PER_ADDRESS)
@blp.arguments(AlipayReturnQuery, location="query")
@blp.response(303, description="On to the place where the trip began")
@blp.alt_response(410, schema={"type": "string"}, content_type="text/html", description="A page that says so")
def come_back(query: dict[str, Any]) -> Response:
    """Send a browser that comes back from Alipay on to where it began."""
    answer = {"auth_code": query["auth_code"]} if query["auth_code"] else {"error": "cancelled"}
    try:
        with transaction() as session:
            onward = redirects.onward(session, state=query["state"], answer=answer)
    except RedirectExpired as expired:
        return _told(expired)
    return _unstored(Response("", 303, {"Location": onward}))


def _told(expired: RedirectExpired) -> Response:
    """The refusal as a page: this request is a person's browser, not a program."""
    text = _PAGE.format(lang=language(), title=_TITLES[language()], text=expired.sentence(language()))
    return _unstored(Response(text, expired.status, content_type="text/html; charset=utf-8"))


def _unstored(answer: Response) -> Response:
    # The code must not leave for another site with the next page's Referer, nor lie in a cache.
    answer.headers["Cache-Control"], answer.headers["Referrer-Policy"] = "no-store", "no-referrer"
    return answer


@blp.post("/result")
@access.public("signing in", limit=rules.SIGN_INS_PER_ADDRESS)
@blp.arguments(AlipayFinishIn)
@blp.response(200, TokensOut)
def finish(data: dict[str, Any]) -> Tokens:
    """Sign in with what the browser brought back from Alipay."""
    with transaction() as session:
        trip = service.finish(session, state=data["state"], holder=data["secret"])
    if not data["auth_code"]:
        raise AlipayCancelled()
    answer = service.ask(data["auth_code"])
    with transaction() as session:
        outcome = service.sign_in(session, answer=answer, origin=origin_of(trip.channel))
    return outcome.insist()


def seconds(period: timedelta) -> int:
    """A period in whole seconds."""
    return int(period.total_seconds())
