"""What an authorization request may say (OpenID Connect Core, 3.1.2; RFC 7636, 9207). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode, urlsplit, urlunsplit

from auth.oidc.clients.queries import Client
from auth.oidc.clients.rules import SCOPES
from auth.oidc.grants.rules import LASTING_LEVEL, level_of

LASTS = timedelta(minutes=10)
# A button pressed twice asks twice for the end: the second gets a fresh code as long as the first was not used [D].
REPEAT_WITHIN = timedelta(seconds=10)

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_LONGEST = {"state": 2_000, "nonce": 500, "login_hint": 200, "claims": 4_000, "id_token_hint": 8_000, "scope": 500}
_LONGEST_OTHER = 1_000
_LONGEST_AGE = 10**9
_ENGLISH = "en"


class Prompt(StrEnum):
    """What the client wants the person to be asked."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"


class Reason(StrEnum):
    """Why a request ends without a code, by its name in the standards."""

    INVALID_REQUEST = "invalid_request"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    ACCESS_DENIED = "access_denied"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    INVALID_SCOPE = "invalid_scope"
    SERVER_ERROR = "server_error"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    LOGIN_REQUIRED = "login_required"
    INTERACTION_REQUIRED = "interaction_required"
    CONSENT_REQUIRED = "consent_required"
    ACCOUNT_SELECTION_REQUIRED = "account_selection_required"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"
    REGISTRATION_NOT_SUPPORTED = "registration_not_supported"
    UNMET_AUTHENTICATION_REQUIREMENTS = "unmet_authentication_requirements"


class Refused(Exception):
    """The request can't be done; the client is told by redirect. `detail` is for its developers, in plain ASCII."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """A good authorization request. `levels`: any of them is enough; none: any level will do."""

    redirect_uri: str
    state: str | None
    nonce: str | None
    code_challenge: str
    scopes: tuple[str, ...]
    levels: tuple[int, ...]
    essential: bool
    prompts: frozenset[Prompt]
    max_age: int | None
    login_hint: str | None = field(repr=False)
    id_token_hint: str | None = field(repr=False)
    language: str


Params = Mapping[str, Sequence[str]]


def redirect_uri(params: Params, client: Client) -> str | None:
    """The address to answer to, if it is one of the client's, letter by letter; None: never redirect there."""
    asked = params.get("redirect_uri", ())
    return asked[0] if len(asked) == 1 and asked[0] in client.redirect_uris else None


def one(params: Params, name: str) -> str | None:
    """The value of a parameter sent once; an empty one counts as not sent (RFC 6749, 3.1)."""
    values = params.get(name, ())
    return values[0] if len(values) == 1 and values[0] else None


def parse(params: Params, client: Client, *, address: str, accepts: str) -> AuthRequest:
    """The request in `params`, to be answered at `address` (from `redirect_uri`). `accepts`: the browser's language, "zh" or "en".

    Raises `Refused`.
    """
    _check_shape(params)
    if one(params, "response_type") is None:
        raise Refused(Reason.INVALID_REQUEST, "response_type is missing")
    if one(params, "response_type") != "code":
        raise Refused(Reason.UNSUPPORTED_RESPONSE_TYPE, "only response_type=code")
    if one(params, "response_mode") not in {None, "query"}:
        raise Refused(Reason.INVALID_REQUEST, "only response_mode=query")
    levels, essential = _levels(params, client)
    return AuthRequest(
        redirect_uri=address,
        state=one(params, "state"),
        nonce=one(params, "nonce"),
        code_challenge=_challenge(params),
        scopes=_scopes(params, client),
        levels=levels,
        essential=essential,
        prompts=_prompts(params),
        max_age=_max_age(params),
        login_hint=one(params, "login_hint"),
        id_token_hint=one(params, "id_token_hint"),
        language=_language(params, accepts),
    )


def with_params(address: str, params: Mapping[str, str | None]) -> str:
    """`address` with more query parameters, those that are None left out; what it has already stays."""
    parts = urlsplit(address)
    added = urlencode({name: value for name, value in params.items() if value is not None})
    query = "&".join(part for part in (parts.query, added) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def is_handle(text: str) -> bool:
    """Whether `text` has the shape of an interaction's id; nothing else needs to be looked up."""
    return _CHALLENGE.fullmatch(text) is not None


def must_sign_in(*, prompts: frozenset[Prompt], max_age: int | None, auth_time: datetime, asked_at: datetime) -> bool:
    """Whether somebody signed in since `auth_time` has to sign in again for a request that came at `asked_at`."""
    if auth_time >= asked_at:
        return False
    return Prompt.LOGIN in prompts or (max_age is not None and asked_at - auth_time > timedelta(seconds=max_age))


def _check_shape(params: Params) -> None:
    for name, values in params.items():
        if len(values) > 1:
            raise Refused(Reason.INVALID_REQUEST, "a parameter is sent twice")
        if any(len(value) > _LONGEST.get(name, _LONGEST_OTHER) or "\x00" in value for value in values):
            raise Refused(Reason.INVALID_REQUEST, "a parameter is too long or not readable")
    if one(params, "request") is not None:
        raise Refused(Reason.REQUEST_NOT_SUPPORTED, "request objects are not supported")
    if one(params, "request_uri") is not None:
        raise Refused(Reason.REQUEST_URI_NOT_SUPPORTED, "request objects are not supported")
    if one(params, "registration") is not None:
        raise Refused(Reason.REGISTRATION_NOT_SUPPORTED, "clients are registered by the city")


def _challenge(params: Params) -> str:
    challenge, method = one(params, "code_challenge"), one(params, "code_challenge_method")
    if challenge is None:
        raise Refused(Reason.INVALID_REQUEST, "code_challenge is missing: PKCE is required")
    if method != "S256":
        raise Refused(Reason.INVALID_REQUEST, "only code_challenge_method=S256")
    if not _CHALLENGE.fullmatch(challenge):
        raise Refused(Reason.INVALID_REQUEST, "code_challenge is not a SHA-256 in base64url")
    return challenge


def _scopes(params: Params, client: Client) -> tuple[str, ...]:
    asked = (one(params, "scope") or "").split()
    if "openid" not in asked:
        raise Refused(Reason.INVALID_SCOPE, "scope must hold openid")
    if not set(asked) <= set(client.scopes):
        raise Refused(Reason.INVALID_SCOPE, "a scope this client is not registered for")
    return tuple(scope for scope in SCOPES if scope in asked)


def _prompts(params: Params) -> frozenset[Prompt]:
    words = (one(params, "prompt") or "").split()
    if not set(words) <= set(Prompt):
        raise Refused(Reason.INVALID_REQUEST, "prompt must be none, login, consent or select_account")
    if Prompt.NONE in words and len(words) > 1:
        raise Refused(Reason.INVALID_REQUEST, "prompt=none goes with no other")
    return frozenset(Prompt(word) for word in words)


def _max_age(params: Params) -> int | None:
    raw = one(params, "max_age")
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit()) or int(raw) > _LONGEST_AGE:
        raise Refused(Reason.INVALID_REQUEST, "max_age must be a number of seconds")
    return int(raw)


def _language(params: Params, accepts: str) -> str:
    for tag in (one(params, "ui_locales") or "").lower().split():
        if tag.split("-")[0] in {"zh", _ENGLISH}:
            return tag.split("-")[0]
    return accepts


def _levels(params: Params, client: Client) -> tuple[tuple[int, ...], bool]:
    """The levels asked for, and whether one of them is essential. Words we don't know are passed over unless essential.

    No sign-in reaches level 4 (3.7): asked for, it means 3, which is what the client is told; essential, it can't be met.
    """
    words, essential = _acr_claim(one(params, "claims"))
    if not words:
        words, essential = (one(params, "acr_values") or "").split(), False
    found = [level for level in (level_of(word) for word in words) if level is not None]
    if essential and words and not found:
        raise Refused(Reason.UNMET_AUTHENTICATION_REQUIREMENTS, "no such acr value")
    allowed = tuple(sorted({level for level in found if level <= client.max_level}))
    if found and not allowed:
        raise Refused(Reason.INVALID_REQUEST, "a level this client is not registered for")
    if essential and allowed and min(allowed) > LASTING_LEVEL:
        detail = "level4 is a fresh proof for one act inside our own app, never of a sign-in; ask for level3"
        raise Refused(Reason.UNMET_AUTHENTICATION_REQUIREMENTS, detail)
    reachable = tuple(sorted({min(level, LASTING_LEVEL) for level in allowed}))
    return reachable, essential and bool(reachable)


def _acr_claim(raw: str | None) -> tuple[list[str], bool]:
    """What the claims parameter says of `acr` (OpenID Connect Core, 5.5.1.1)."""
    if raw is None:
        return [], False
    try:
        claims = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(Reason.INVALID_REQUEST, "claims is not JSON") from None
    wanted = claims.get("id_token", {}) if isinstance(claims, dict) else None
    if not isinstance(wanted, dict | None) or not isinstance(claims, dict):
        raise Refused(Reason.INVALID_REQUEST, "claims is not an object of objects")
    acr = (wanted or {}).get("acr")
    if acr is None:
        return [], False
    if not isinstance(acr, dict):
        raise Refused(Reason.INVALID_REQUEST, "claims.id_token.acr is not an object")
    values = acr["values"] if "values" in acr else [acr["value"]] if "value" in acr else []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused(Reason.INVALID_REQUEST, "claims.id_token.acr must name texts")
    return values, acr.get("essential") is True
