"""Alipay's asynchronous notices (PY-8). Database only: nothing is called from here."""

from __future__ import annotations

from flask import Response, request
from sqlalchemy.orm import Session

from core import callbacks, ports
from core.db import transaction
from core.errors import Problem
from core.web import access
from core.web.blueprint import Blueprint
from payments.orders import service as orders
from payments.orders.ports import Notice, NoticeRefused, PaymentPlatform

blp = Blueprint("callbacks_alipay", __name__, url_prefix="/callbacks/alipay", description="支付宝通知 / Alipay notices")

PARTNER = "alipay"
_REFUSED, _DONE = "REFUSED", "DONE"


@blp.post("/notify")
@access.partner(PARTNER)
@blp.response(200, {"type": "string"}, content_type="text/plain", description="`success`: received")
@blp.alt_response(400, schema={"type": "string"}, content_type="text/plain", description="`failure`: send it again")
def notify() -> Response:
    """Receive a notice about a trade."""
    if _receive(request.get_data(), request.content_type or ""):
        return Response("success", content_type="text/plain")
    return Response("failure", 400, content_type="text/plain")


def _receive(body: bytes, content_type: str) -> bool:
    """Keep the raw notice, then apply it; whether it may be answered with success. Each step is its own transaction.

    A forged notice is kept under its own digest: under the number it claims, it would take the place of the genuine one.
    """
    try:
        notice = ports.get(PaymentPlatform).read_notice(body)
        key, refusal = notice.notice_id, ""
    except NoticeRefused as refused:
        notice, key, refusal = None, refused.notice_id or callbacks.digest_key(body), refused.reason
    with transaction() as session:
        stored = callbacks.store(session, partner=PARTNER, event_key=key, body=body, content_type=content_type)
        if notice is None:
            _finish(session, stored, _REFUSED, refusal)
    return notice is not None and _apply(notice, stored)


def _apply(notice: Notice, stored: callbacks.Stored) -> bool:
    try:
        with transaction() as session:
            orders.apply_notice(session, notice=notice)
            _finish(session, stored, _DONE)
    except Problem as problem:
        with transaction() as session:
            _finish(session, stored, _REFUSED, problem.code)
        return False
    return True


def _finish(session: Session, stored: callbacks.Stored, state: str, note: str = "") -> None:
    """Record the outcome; what was done once stays done, whatever comes later under its number."""
    if stored.state != _DONE:
        callbacks.finish(session, stored.id, state, note)
