"""One question: does this name belong to this document? Signed both ways with HMAC-SM3."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import math
import secrets
from datetime import date
from typing import Any
from uuid import UUID

import requests

from auth.identity.ports import Check, CheckResult
from core import clock
from core.gm import hmac_sm3
from core.ports import PartnerUnavailable
from core.settings import IdentityAuthoritySettings
from partners import http

PARTNER = "identity-authority"

# An answer signed longer ago than this is somebody's copy of an old one.
FRESH_SECONDS = 300

_RESULTS = {
    "MATCH": CheckResult.MATCH,
    "MISMATCH": CheckResult.MISMATCH,
    "NOT_FOUND": CheckResult.NOT_FOUND,
    "REVIEW": CheckResult.REVIEW,
    "DECEASED": CheckResult.DECEASED,
    "CANCELLED": CheckResult.CANCELLED,
    "EXPIRED": CheckResult.EXPIRED,
}

log = logging.getLogger("partners.identity_authority")


def sign(secret: str, timestamp: str, nonce: str, body: bytes) -> str:
    """Hex HMAC-SM3 over time, nonce and the SHA-256 of the body, a line each."""
    text = f"{timestamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
    return hmac_sm3(secret.encode(), text.encode()).hex()


class SignedIdentityAuthority:
    """The port auth.identity.ports.IdentityAuthority over the source's HTTP interface."""

    def __init__(self, settings: IdentityAuthoritySettings) -> None:
        self._settings = settings

    def check(self, *, name: str, document_type: str, document_number: str, purpose: str, request_id: UUID) -> Check:
        """Ask the source; asking again is harmless. Raises `PartnerUnavailable`, also for an answer it didn't sign."""
        asked = {
            "request_id": str(request_id),
            "name": name,
            "document_type": document_type,
            "document_number": document_number,
            "purpose": purpose,
        }
        body = json.dumps(asked, ensure_ascii=False).encode()
        timestamp, nonce = str(int(clock.wall().timestamp())), secrets.token_hex(16)
        answer = http.request(
            PARTNER,
            "POST",
            f"{self._settings.url}/v1/verify",
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-Key-Id": self._settings.key_id,
                "X-Timestamp": timestamp,
                "X-Nonce": nonce,
                "X-Signature": sign(self._settings.secret, timestamp, nonce, body),
            },
        )
        found = self._opened(answer, nonce)
        if found.get("request_id") != str(request_id) or found.get("result") not in _RESULTS:
            raise PartnerUnavailable(PARTNER)
        return Check(result=_RESULTS[found["result"]], valid_until=_day(found.get("valid_until")))

    def _opened(self, answer: requests.Response, nonce: str) -> dict[str, Any]:
        """The content of a good answer that is the source's own, to this very question."""
        if answer.status_code != 200:
            log.error("the identity authority refuses our request", extra={"status": answer.status_code})
            raise PartnerUnavailable(PARTNER)
        timestamp = answer.headers.get("X-Timestamp", "")
        expected = sign(self._settings.secret, timestamp, nonce, answer.content)
        genuine = hmac.compare_digest(expected.encode(), answer.headers.get("X-Signature", "").encode())
        age = abs(int(timestamp) - clock.wall().timestamp()) if timestamp.isdecimal() else math.inf
        if not genuine or age > FRESH_SECONDS:
            log.error("an answer in the identity authority's name has a wrong signature")
            raise PartnerUnavailable(PARTNER)
        try:
            found = json.loads(answer.content)
        except ValueError:
            raise PartnerUnavailable(PARTNER) from None
        if not isinstance(found, dict):
            raise PartnerUnavailable(PARTNER)
        return found


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
