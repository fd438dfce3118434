"""What a client may look like. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

# What a client may be registered for. `openid` alone tells nothing but a pseudonym and the level.
SCOPES = ("openid", "profile", "phone", "identity", "level", "offline_access")
HIGHEST_LEVEL = 4
# A department changes the secret of its servers one after the other: the old one goes on for this long [D].
OLD_SECRET_LASTS = timedelta(hours=24)
# Algorithms of a client's own signatures (private_key_jwt).
CLIENT_ALGORITHMS = ("RS256", "PS256", "ES256")

_CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
_SECTOR = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LONGEST_ADDRESS = 1_000
_MOST_ADDRESSES = 20
_MOST_KEYS = 10
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class ClientType(StrEnum):
    """Whether the client can keep a secret (RFC 6749, 2.1)."""

    PUBLIC = "PUBLIC"
    CONFIDENTIAL = "CONFIDENTIAL"


class AuthMethod(StrEnum):
    """How a client proves who it is at the token endpoint (OpenID Connect Core, 9)."""

    NONE = "none"
    SECRET_BASIC = "client_secret_basic"  # noqa: S105  # a name of the standard
    SECRET_POST = "client_secret_post"  # noqa: S105  # a name of the standard
    PRIVATE_KEY_JWT = "private_key_jwt"


METHODS: Mapping[ClientType, frozenset[AuthMethod]] = MappingProxyType(
    {
        ClientType.PUBLIC: frozenset({AuthMethod.NONE}),
        ClientType.CONFIDENTIAL: frozenset(AuthMethod) - {AuthMethod.NONE},
    }
)
WITH_SECRET = frozenset({AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What is known of a client. `sector`: clients of one sector see the same pseudonym of a person."""

    client_id: str
    name_zh: str
    name_en: str
    department: str
    type: ClientType
    auth_method: AuthMethod
    redirect_uris: Sequence[str]
    post_logout_redirect_uris: Sequence[str] = ()
    backchannel_logout_uri: str | None = None
    initiate_login_uri: str | None = None
    scopes: Sequence[str] = ("openid",)
    max_level: int = 1
    sector: str
    jwks: Mapping[str, Any] | None = field(default=None, repr=False)


def faults(wanted: Registration) -> dict[str, list[str]]:
    """What is wrong with a registration, by field; empty when it is good."""
    found: dict[str, list[str]] = {}

    def note(name: str, fault: str | None) -> None:
        if fault is not None:
            found.setdefault(name, []).append(fault)

    if not _CLIENT_ID.fullmatch(wanted.client_id):
        note("client_id", "3 to 64 characters: a-z, 0-9, dot, hyphen, underscore")
    if not _SECTOR.fullmatch(wanted.sector):
        note("sector", "1 to 63 characters: a-z, 0-9, dot, hyphen")
    if wanted.auth_method not in METHODS[wanted.type]:
        note("auth_method", "does not fit the client's type")
    if not wanted.redirect_uris:
        note("redirect_uris", "at least one")
    for name, native in (("redirect_uris", wanted.type is ClientType.PUBLIC), ("post_logout_redirect_uris", True)):
        addresses: Sequence[str] = getattr(wanted, name)
        if len(set(addresses)) != len(addresses) or len(addresses) > _MOST_ADDRESSES:
            note(name, f"at most {_MOST_ADDRESSES} different addresses")
        for address in addresses:
            note(name, check_address(address, native=native))
    for name in ("backchannel_logout_uri", "initiate_login_uri"):
        address = getattr(wanted, name)
        if address is not None:
            note(name, check_address(address, native=False))
    if "openid" not in wanted.scopes or not set(wanted.scopes) <= set(SCOPES):
        note("scopes", f"openid, and any of {', '.join(SCOPES[1:])}")
    if not 1 <= wanted.max_level <= HIGHEST_LEVEL:
        note("max_level", f"1 to {HIGHEST_LEVEL}")
    if (wanted.jwks is not None) != (wanted.auth_method is AuthMethod.PRIVATE_KEY_JWT):
        note("jwks", "needed for private_key_jwt, and only for that")
    elif wanted.jwks is not None:
        note("jwks", check_keys(wanted.jwks))
    return found


def check_address(address: str, *, native: bool) -> str | None:
    """What is wrong with a client's address; None when it is good.

    https; plain http only to this machine itself; with `native` also an app's own scheme, which holds a dot (RFC 8252, 7.1).
    """
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "not an address"
    if (
        len(address) > _LONGEST_ADDRESS
        or not address.isascii()
        or any(char <= " " or char in '"\\<>' for char in address)
    ):
        return "not an address"
    if "#" in address:
        return "must have no fragment"
    if parts.username is not None or parts.password is not None or "*" in address:
        return "must have no user name and no wildcard"
    if parts.scheme in {"https", "http"}:
        if not host:
            return "not an address"
        return None if parts.scheme == "https" or host in _LOOPBACK else "must be https"
    if native and _PRIVATE_SCHEME.fullmatch(parts.scheme):
        return None
    return "must be https"


def check_keys(jwks: Mapping[str, Any]) -> str | None:
    """What is wrong with a client's key set; None when it is good: 1 to 10 public RSA (≥ 2048) or P-256 keys."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= _MOST_KEYS:
        return f"a key set of 1 to {_MOST_KEYS} keys"
    if any(not isinstance(key, dict) or set(key) & _PRIVATE_MEMBERS for key in keys):
        return "public keys only"
    try:
        found = KeySet.import_key_set({"keys": keys})
        for key in found.keys:
            if key.key_type == "RSA" and key.raw_value.key_size >= 2048:
                continue
            if key.key_type == "EC" and key.curve_name == "P-256":
                continue
            return "RSA keys of at least 2048 bits or P-256 keys"
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return "not a key set"
    return None
