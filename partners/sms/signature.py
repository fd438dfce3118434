"""Aliyun's RPC v1 signature (PROTOCOLS 5.1): HMAC-SHA1 over the sorted, percent-encoded parameters."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import quote


def sign(method: str, params: Mapping[str, str], secret: str) -> str:
    """The value of `Signature` for a request with `params` (those without `Signature`)."""
    query = "&".join(f"{_encoded(key)}={_encoded(value)}" for key, value in sorted(params.items()))
    text = f"{method}&{_encoded('/')}&{_encoded(query)}"
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), text.encode(), "sha1")).decode()


def _encoded(text: str) -> str:
    """RFC 3986: only letters, digits and - _ . ~ stay."""
    return quote(text, safe="~")
