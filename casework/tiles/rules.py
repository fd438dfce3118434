"""Kinds of targets. Pure."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlencode, urlsplit, urlunsplit


class Kind(StrEnum):
    """How the other system learns who comes."""

    PLAIN = "PLAIN"
    OIDC = "OIDC"
    BRIDGE = "BRIDGE"


NOT_CONNECTED = ("该服务尚未接入", "This service is not connected yet")
NOT_FROM_KIOSK = ("自助终端不能打开该服务，请用手机打开", "This can't be opened at a kiosk; please use your phone")
CLIENT_OFF = ("该服务正在维护", "This service is being maintained")


def initiation(address: str, issuer: str) -> str:
    """The client's own address to start a sign-in with us (OpenID Connect Core, 4): `iss` says at whom; no hint who comes."""
    parts = urlsplit(address)
    query = "&".join(filter(None, [parts.query, urlencode({"iss": issuer})]))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
