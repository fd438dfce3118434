"""WeChat's message push: what a person changes in the settings of messages reaches us here (PROTOCOLS 1.6)."""

from __future__ import annotations

import logging
from typing import Any

import marshmallow as ma
from flask import Response, request

from core import callbacks, ports
from core.db import transaction
from core.errors import SignatureInvalid
from core.web import access
from core.web.blueprint import Blueprint
from notifications.preferences import service as preferences
from notifications.preferences.ports import Push, PushRefused, WeChatPushes

blp = Blueprint("callbacks_wechat", __name__, url_prefix="/callbacks/wechat", description="微信消息推送 / WeChat push")

PARTNER = "wechat"
_DONE = "DONE"
_TEXT = "text/plain; charset=utf-8"

log = logging.getLogger("callbacks.wechat")


class PushQuery(ma.Schema):
    """WeChat's parameters; which of them come depends on the mode."""

    class Meta:
        """More may come."""

        unknown = ma.EXCLUDE

    signature = ma.fields.String(load_default="", validate=ma.validate.Length(max=100))
    msg_signature = ma.fields.String(load_default="", validate=ma.validate.Length(max=100))
    timestamp = ma.fields.String(load_default="", validate=ma.validate.Length(max=20))
    nonce = ma.fields.String(load_default="", validate=ma.validate.Length(max=100))
    encrypt_type = ma.fields.String(load_default="", validate=ma.validate.Length(max=20))
    echostr = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


@blp.get("")
@access.partner(PARTNER)
@blp.arguments(PushQuery, location="query")
@blp.response(200, {"type": "string"}, content_type="text/plain")
def check_address(query: dict[str, Any]) -> Response:
    """Answer WeChat's check of this address."""
    try:
        return Response(ports.get(WeChatPushes).echo(query), content_type=_TEXT)
    except PushRefused as refusal:
        raise _refused(refusal) from None


@blp.post("")
@access.partner(PARTNER)
@blp.arguments(PushQuery, location="query")
@blp.response(200, {"type": "string"}, content_type="text/plain", description="`success`: received")
def push(query: dict[str, Any]) -> Response:
    """Receive a push."""
    try:
        found = ports.get(WeChatPushes).read(query, request.get_data())
    except PushRefused as refusal:
        raise _refused(refusal) from None
    _apply(found)
    return Response("success", content_type=_TEXT)


def _apply(found: Push) -> None:
    """Keep the message and do what it says, once: WeChat sends it again when the answer is late."""
    with transaction() as session:
        stored = callbacks.store(
            session,
            partner=PARTNER,
            event_key=callbacks.digest_key(found.text),
            body=found.text,
            content_type=request.content_type or "",
        )
        if stored.state != _DONE:
            known = preferences.refuse(session, openid=found.openid, groups=found.refused)
            callbacks.finish(session, stored.id, _DONE, f"{found.event[:60]}: {known}")


def _refused(refusal: PushRefused) -> SignatureInvalid:
    # Nothing of a stranger's body is kept; the reason goes to the log alone.
    log.warning("a push was refused: %s", refusal.reason)
    return SignatureInvalid()
