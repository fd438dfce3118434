"""Calls to partners that sign both ways with HMAC-SM3, such as the population source and the network identity service.

Headers X-Key-Id, X-Timestamp, X-Nonce, X-Signature; an answer is signed with its own time over the request's nonce, so
that it answers this very question. The wire contract is in sandbox/README.md.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import math
import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

import requests

from core import clock
from core.gm import hmac_sm3
from core.ports import PartnerRefused, PartnerUnavailable
from partners import http

# An answer signed longer ago than this is somebody's copy of an old one.
FRESH_SECONDS = 300

log = logging.getLogger("partners.signed")


def sign(secret: str, timestamp: str, nonce: str, body: bytes) -> str:
    """Hex HMAC-SM3 over time, nonce and the SHA-256 of the body, a line each."""
    text = f"{timestamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
    return hmac_sm3(secret.encode(), text.encode()).hex()


def ask(
    partner: str,
    url: str,
    *,
    key_id: str,
    secret: str,
    fields: Mapping[str, object],
    refusals: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """POST `fields` as JSON; the content of a good answer that is the partner's own, to this very question.

    `refusals`: codes in the member `error` of a signed 4xx that mean a definite no (`PartnerRefused`). Raises
    `PartnerUnavailable` for everything else, also for an answer the partner didn't sign.
    """
    body = json.dumps(fields, ensure_ascii=False).encode()
    timestamp, nonce = str(int(clock.wall().timestamp())), secrets.token_hex(16)
    answer = http.request(
        partner,
        "POST",
        url,
        data=body,
        headers={
            "Content-Type": "application/json",
            "X-Key-Id": key_id,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": sign(secret, timestamp, nonce, body),
        },
    )
    found = _opened(partner, answer, secret, nonce)
    if answer.status_code == 200:
        return found
    code = str(found.get("error", ""))
    if code in refusals:
        raise PartnerRefused(code)
    log.error("a partner refuses our request", extra={"partner": partner, "status": answer.status_code})
    raise PartnerUnavailable(partner)


def _opened(partner: str, answer: requests.Response, secret: str, nonce: str) -> dict[str, Any]:
    timestamp = answer.headers.get("X-Timestamp", "")
    expected = sign(secret, timestamp, nonce, answer.content)
    genuine = hmac.compare_digest(expected.encode(), answer.headers.get("X-Signature", "").encode())
    age = abs(int(timestamp) - clock.wall().timestamp()) if timestamp.isdecimal() else math.inf
    if not genuine or age > FRESH_SECONDS:
        log.error("an answer in a partner's name has a wrong signature", extra={"partner": partner})
        raise PartnerUnavailable(partner)
    try:
        found = json.loads(answer.content)
    except ValueError:
        raise PartnerUnavailable(partner) from None
    if not isinstance(found, dict):
        raise PartnerUnavailable(partner)
    return found


def day(value: object) -> date | None:
    """A day as partners write it, yyyy-MM-dd; None for anything else."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
