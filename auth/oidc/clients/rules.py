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
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from auth.oidc.keys.rules import ALGORITHMS, Algorithm

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
_RSA_BITS = 2048
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:[!$-)+-;=?A-\[\]^-z|~]+")
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
    id_token_algorithm: str = Algorithm.RS256


def is_client_id(text: str) -> bool:
    """Whether `text` has the shape of a client_id; nothing else needs to be looked up."""
    return _CLIENT_ID.fullmatch(text) is not None


def faults(wanted: Registration) -> dict[str, list[str]]:
    """What is wrong with a registration, by field; empty when it is good."""
    found = {
        "client_id": [_words(_CLIENT_ID, wanted.client_id, "3 to 64 characters: a-z, 0-9, dot, hyphen, underscore")],
        "sector": [_words(_SECTOR, wanted.sector, "1 to 63 characters: a-z, 0-9, dot, hyphen")],
        "auth_method": [None if wanted.auth_method in METHODS[wanted.type] else "does not fit the client's type"],
        "redirect_uris": _addresses(wanted.redirect_uris, least=1, native=wanted.type is ClientType.PUBLIC),
        "post_logout_redirect_uris": _addresses(wanted.post_logout_redirect_uris, least=0, native=True),
        "backchannel_logout_uri": _addresses(_given(wanted.backchannel_logout_uri), least=0, native=False),
        "initiate_login_uri": _addresses(_given(wanted.initiate_login_uri), least=0, native=False),
        "scopes": [_scopes(wanted.scopes)],
        "max_level": [None if 1 <= wanted.max_level <= HIGHEST_LEVEL else f"1 to {HIGHEST_LEVEL}"],
        "jwks": [_jwks(wanted)],
        "id_token_algorithm": [None if wanted.id_token_algorithm in ALGORITHMS else " or ".join(ALGORITHMS)],
    }
    kept = {name: [fault for fault in faults if fault is not None] for name, faults in found.items()}
    return {name: faults for name, faults in kept.items() if faults}


def check_address(address: str, *, native: bool) -> str | None:
    """What is wrong with a client's address; None when it is good.

    https; plain http only to this machine itself; with `native` also an app's own scheme, which holds a dot (RFC 8252, 7.1).
    """
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "not an address"
    if len(address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        return "not an address, or one with a fragment, a wildcard or a user name"
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        return None
    return None if native and _PRIVATE_SCHEME.fullmatch(parts.scheme) else "must be https"


def check_keys(jwks: Mapping[str, Any]) -> str | None:
    """What is wrong with a client's key set; None when it is good: 1 to 10 public RSA (2048 bits or more) or P-256 keys."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= _MOST_KEYS:
        return f"a key set of 1 to {_MOST_KEYS} keys"
    if any(not isinstance(key, dict) or set(key) & _PRIVATE_MEMBERS for key in keys):
        return "public keys only"
    try:
        good = all(_strong(key) for key in KeySet.import_key_set({"keys": keys}).keys)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return "not a key set"
    return None if good else "RSA keys of at least 2048 bits or P-256 keys"


def _strong(key: Key) -> bool:
    if isinstance(key, RSAKey):
        return key.public_key.key_size >= _RSA_BITS
    return isinstance(key, ECKey) and key.curve_name == "P-256"


def _words(shape: re.Pattern[str], text: str, fault: str) -> str | None:
    return None if shape.fullmatch(text) else fault


def _given(address: str | None) -> Sequence[str]:
    return () if address is None else (address,)


def _addresses(addresses: Sequence[str], *, least: int, native: bool) -> list[str | None]:
    if not least <= len(addresses) <= _MOST_ADDRESSES or len(set(addresses)) != len(addresses):
        return [f"{least} to {_MOST_ADDRESSES} different addresses"]
    return [check_address(address, native=native) for address in addresses]


def _scopes(scopes: Sequence[str]) -> str | None:
    good = "openid" in scopes and set(scopes) <= set(SCOPES) and len(set(scopes)) == len(scopes)
    return None if good else f"openid, and any of {', '.join(SCOPES[1:])}"


def _jwks(wanted: Registration) -> str | None:
    if (wanted.jwks is not None) != (wanted.auth_method is AuthMethod.PRIVATE_KEY_JWT):
        return "needed for private_key_jwt, and only for that"
    return None if wanted.jwks is None else check_keys(wanted.jwks)
