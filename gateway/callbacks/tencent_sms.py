"""Delivery reports of short messages that went by Tencent, who doesn't sign them: the address holds a secret."""

from __future__ import annotations

from flask import Response, jsonify, request

from casework.delivery.ports import CallbackAddress
from core import callbacks, jobs, ports
from core.crypto import constant_time_equal
from core.db import transaction
from core.errors import NotFound
from core.web import access
from core.web.blueprint import Blueprint

blp = Blueprint(
    "callbacks_tencent_sms",
    __name__,
    url_prefix="/callbacks/tencent-sms",
    description="短信回执（腾讯云） / SMS reports of Tencent",
)

PARTNER = "tencent-sms"


@blp.post("/<string:secret>")
@access.partner(PARTNER)
@blp.response(200, description='{"result": 0}: received; anything else is sent again')
def report(secret: str) -> Response:
    """Receive delivery reports of short messages that went by Tencent."""
    if not constant_time_equal(secret, ports.get(CallbackAddress).path_secret):
        raise NotFound()
    _keep(request.get_data(), request.content_type or "")
    return jsonify({"result": 0, "errmsg": "OK"})


def _keep(body: bytes, content_type: str) -> None:
    """Store the raw body and queue the work on it, once."""
    with transaction() as session:
        stored = callbacks.store(
            session, partner=PARTNER, event_key=callbacks.digest_key(body), body=body, content_type=content_type
        )
        if stored.first:
            jobs.defer(session, "messages.apply_sms_reports", callback_id=str(stored.id))
