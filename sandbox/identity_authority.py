"""The population source: says whether a name and a document number belong together.

There is no public wire format, so this contract is the project's own; README.md states it. Both directions are signed
with HMAC-SM3 over time, nonce and the digest of the body; the answer carries the request's nonce.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from typing import Any

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from sandbox.world import beijing, world

blueprint = Blueprint("identity_authority", __name__, url_prefix="/identity-authority/v1")

NAME = "identity-authority"
WINDOW_SECONDS = 300
# Numbers of this unassigned district belong to a crowd for load tests: any name that starts with 市民 matches.
CROWD_DISTRICT = "330298"
CROWD_NAME = "市民"
_FIELDS = ("request_id", "name", "document_type", "document_number", "purpose")


def signature(secret: str, timestamp: str, nonce: str, body: bytes) -> str:
    """Hex HMAC-SM3(secret, timestamp LF nonce LF sha256hex(body))."""
    text = f"{timestamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), "sm3").hexdigest()


def _answer(status: int, nonce: str, **fields: Any) -> Response:
    """A signed answer."""
    ours = world().credentials.product[NAME]
    body = json.dumps(fields, ensure_ascii=False).encode()
    timestamp = str(int(time.time()))
    signed = signature(ours["secret"], timestamp, nonce, body)
    if g.get("wrong_signature"):
        signed = signed[::-1]
    answer = Response(body, status, mimetype="application/json")
    answer.headers["X-Key-Id"] = ours["key_id"]
    answer.headers["X-Timestamp"] = timestamp
    answer.headers["X-Nonce"] = nonce
    answer.headers["X-Signature"] = signed
    return answer


def business_error(value: object) -> Response:
    """An answer of HTTP 200 whose result is `value`, whoever was asked about."""
    body = request.get_json(silent=True) or {}
    nonce = request.headers.get("X-Nonce", "")
    return _answer(200, nonce, request_id=body.get("request_id"), result=str(value), checked_at=_now())


def _now() -> str:
    return beijing(time.time()).replace(" ", "T") + "+08:00"


@blueprint.post("/verify")
def verify() -> ResponseReturnValue:
    """Check one name against one document number."""
    ours = world().credentials.product[NAME]
    now = time.time()
    timestamp, nonce = request.headers.get("X-Timestamp", ""), request.headers.get("X-Nonce", "")
    signed = request.headers.get("X-Signature", "")
    expected = signature(ours["secret"], timestamp, nonce, request.data)
    if request.headers.get("X-Key-Id") != ours["key_id"] or not hmac.compare_digest(signed.encode(), expected.encode()):
        return {"error": "forged"}, 401
    if not re.fullmatch(r"\d{1,12}", timestamp) or abs(now - int(timestamp)) > WINDOW_SECONDS:
        return {"error": "stale"}, 401
    if not re.fullmatch(r"[\x21-\x7e]{8,64}", nonce):
        return _answer(400, nonce, error="nonce")
    if not world().store.use_nonce(NAME, nonce, now, 2 * WINDOW_SECONDS):
        return _answer(409, nonce, error="replayed")
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not all(isinstance(body.get(key), str) and body[key] for key in _FIELDS):
        return _answer(400, nonce, error="fields")
    result, valid_until = _check(body["name"], body["document_type"], body["document_number"])
    fields = {"request_id": body["request_id"], "result": result, "checked_at": _now()}
    if valid_until:
        fields["valid_until"] = valid_until
    return _answer(200, nonce, **fields)


def _check(name: str, document_type: str, number: str) -> tuple[str, str | None]:
    """The result for this name and document, and until when the document is valid."""
    person = world().people.by_document(document_type, number)
    if person is None:
        if number.startswith(CROWD_DISTRICT):
            return ("MATCH" if name.startswith(CROWD_NAME) else "MISMATCH"), None
        return "NOT_FOUND", None
    if person.outcome in ("MATCH", "EXPIRED") and name != person.name:
        return "MISMATCH", None
    return person.outcome, person.valid_until if person.outcome in ("MATCH", "EXPIRED") else None
