"""Tencent Cloud's signature, TC3-HMAC-SHA256 (PROTOCOLS 5.2): over method, path, chosen headers and the body's digest."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

ALGORITHM = "TC3-HMAC-SHA256"
_END = "tc3_request"


def signature(*, secret_key: str, service: str, timestamp: int, headers: Mapping[str, str], body: bytes) -> str:
    """The hex signature of a POST to "/". `headers`: those that are signed, their names in lower case."""
    canonical = "\n".join(
        [
            "POST",
            "/",
            "",
            "".join(f"{name}:{headers[name].strip().lower()}\n" for name in sorted(headers)),
            ";".join(sorted(headers)),
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = credential_scope(service, timestamp)
    text = f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def authorization(
    *, secret_id: str, secret_key: str, service: str, timestamp: int, headers: Mapping[str, str], body: bytes
) -> str:
    """The value of `Authorization`."""
    signed = signature(secret_key=secret_key, service=service, timestamp=timestamp, headers=headers, body=body)
    credential = f"{secret_id}/{credential_scope(service, timestamp)}"
    return f"{ALGORITHM} Credential={credential}, SignedHeaders={';'.join(sorted(headers))}, Signature={signed}"


def credential_scope(service: str, timestamp: int) -> str:
    """Day, service and the closing word; the day is in UTC, whatever the machine's zone."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d}/{service}/{_END}"
