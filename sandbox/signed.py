"""Partners that sign both ways with HMAC-SM3 over time, nonce and the digest of the body; README.md states the contract."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from typing import Any

from flask import Response, g, request

from sandbox.world import world

WINDOW_SECONDS = 300


def signature(secret: str, timestamp: str, nonce: str, body: bytes) -> str:
    """Hex HMAC-SM3(secret, timestamp LF nonce LF sha256hex(body))."""
    text = f"{timestamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), "sm3").hexdigest()


def nonce_sent() -> str:
    """The nonce of the request."""
    return request.headers.get("X-Nonce", "")


def answer(partner: str, status: int, **fields: Any) -> Response:
    """A signed answer to the request."""
    ours = world().credentials.product[partner]
    nonce = nonce_sent()
    body = json.dumps(fields, ensure_ascii=False).encode()
    timestamp = str(int(time.time()))
    signed = signature(ours["secret"], timestamp, nonce, body)
    if g.get("wrong_signature"):
        signed = signed[::-1]
    made = Response(body, status, mimetype="application/json")
    made.headers["X-Key-Id"] = ours["key_id"]
    made.headers["X-Timestamp"] = timestamp
    made.headers["X-Nonce"] = nonce
    made.headers["X-Signature"] = signed
    return made


def refusal(partner: str) -> Response | None:
    """Why the request is not heard, if it isn't: 401 forged or stale, unsigned; 400 and 409 signed."""
    ours = world().credentials.product[partner]
    now = time.time()
    timestamp, nonce = request.headers.get("X-Timestamp", ""), nonce_sent()
    signed = request.headers.get("X-Signature", "")
    expected = signature(ours["secret"], timestamp, nonce, request.get_data())
    if request.headers.get("X-Key-Id") != ours["key_id"] or not hmac.compare_digest(signed.encode(), expected.encode()):
        return _unsigned("forged")
    if not re.fullmatch(r"\d{1,12}", timestamp) or abs(now - int(timestamp)) > WINDOW_SECONDS:
        return _unsigned("stale")
    if not re.fullmatch(r"[\x21-\x7e]{8,64}", nonce):
        return answer(partner, 400, error="nonce")
    if not world().store.use_nonce(partner, nonce, now, 2 * WINDOW_SECONDS):
        return answer(partner, 409, error="replayed")
    return None


def _unsigned(error: str) -> Response:
    return Response(json.dumps({"error": error}), 401, mimetype="application/json")


def texts(*names: str, empty: tuple[str, ...] = ()) -> dict[str, str] | None:
    """The body's text fields `names`, all there and none but `empty` ones empty; else None."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return None
    found = {name: body.get(name) for name in names}
    if not all(isinstance(value, str) and (value or name in empty) for name, value in found.items()):
        return None
    return {name: str(value) for name, value in found.items()}
