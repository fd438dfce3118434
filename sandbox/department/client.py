"""The OpenID Connect client of the demo department: requests and joserfc, written from the standards.

Nothing that comes back is believed before its signature, issuer, audience, times and nonce are checked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

SCOPES = {1: "openid profile level", 3: "openid profile identity level"}
LEVELS = ("level1", "level2", "level3")

_ALGORITHMS = ["RS256"]
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_ASSERTION_SECONDS = 60
_LEEWAY_SECONDS = 60
_TIMEOUT_SECONDS = 10


class SignInFailed(Exception):
    """The sign-in didn't work; the text says why, in words of the standards."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the site must remember of a sign-in that it began, until the person comes back."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the site was told: the claims of the ID token (or of the ticket), and the fields of UserInfo."""

    sid: str
    claims: dict[str, Any] = field(repr=False)
    told: dict[str, Any] = field(repr=False)
    id_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """The site as a client of `issuer`; `base` is the site's own address, without a slash at the end."""

    issuer: str
    base: str
    client_id: str
    key: ECKey = field(repr=False)

    def begin(self, level: int) -> tuple[str, Asked]:
        """Where to send the browser, and what to remember. Level 3 is essential: without it the person comes back refused."""
        asked = Asked(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": f"{self.base}/callback",
            "scope": SCOPES[level],
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "acr_values": " ".join(LEVELS[level - 1 :]),
        }
        if level > 1:
            wanted = {"essential": True, "values": list(LEVELS[level - 1 :])}
            query["claims"] = json.dumps({"id_token": {"acr": wanted}})
        return f"{self._metadata()['authorization_endpoint']}?{urlencode(query)}", asked

    def finish(self, asked: Asked, came: Mapping[str, str]) -> Person:
        """Whom the browser brought, from what it came back with. Raises `SignInFailed`."""
        if came.get("iss") != self.issuer:
            raise SignInFailed("iss")
        if "code" not in came:
            raise SignInFailed(came.get("error", "no code"))
        found = self._metadata()
        form = {
            "grant_type": "authorization_code",
            "code": came["code"],
            "redirect_uri": f"{self.base}/callback",
            "code_verifier": asked.verifier,
        }
        tokens = self._post(found["token_endpoint"], form)
        claims = self._id_token(found, str(tokens["id_token"]), asked.nonce, str(tokens["access_token"]))
        told = _answered(
            _http().get(
                found["userinfo_endpoint"],
                headers={"Authorization": f"Bearer {tokens['access_token']}"},
                timeout=_TIMEOUT_SECONDS,
            )
        )
        # UserInfo of somebody else must not be mixed in (OpenID Connect Core, 5.3.2).
        if told.get("sub") != claims["sub"]:
            raise SignInFailed("sub")
        return Person(str(claims["sid"]), claims, told, str(tokens["id_token"]))

    def enter(self, ticket: str, came_to: str) -> Person:
        """Whom the app sent with a one-time ticket. Raises `SignInFailed`."""
        found = self._post(f"{self.issuer}/oidc/tickets/exchange", {"ticket": ticket})
        if found.get("goto") != came_to:
            raise SignInFailed("goto")
        proof = ("sub", "sid", "acr", "goto")
        claims = {name: found[name] for name in proof if name in found}
        told = {name: value for name, value in found.items() if name not in proof}
        return Person(str(found["sid"]), claims, told, "")

    def sign_out(self, id_token: str, state: str) -> str:
        """Where to send the browser to be signed out everywhere."""
        query = {"client_id": self.client_id, "post_logout_redirect_uri": f"{self.base}/", "state": state}
        if id_token:
            query["id_token_hint"] = id_token
        return f"{self._metadata()['end_session_endpoint']}?{urlencode(query)}"

    def signed_out(self, logout_token: str) -> str:
        """The `sid` whose end a logout token tells (OpenID Connect Back-Channel Logout, 2.6). Raises `SignInFailed`."""
        token = self._verified(self._metadata(), logout_token, {"iat": {"essential": True}, "jti": {"essential": True}})
        good = (
            token.header.get("typ") == "logout+jwt"
            and isinstance(token.claims.get("events"), dict)
            and _LOGOUT_EVENT in token.claims["events"]
            and "nonce" not in token.claims
            and isinstance(token.claims.get("sid"), str)
        )
        if not good:
            raise SignInFailed("logout_token")
        return str(token.claims["sid"])

    def _metadata(self) -> dict[str, Any]:
        found = _answered(_http().get(f"{self.issuer}/.well-known/openid-configuration", timeout=_TIMEOUT_SECONDS))
        if found.get("issuer") != self.issuer:
            raise SignInFailed("issuer")
        return found

    def _post(self, address: str, form: dict[str, str]) -> dict[str, Any]:
        proof = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion(),
        }
        return _answered(_http().post(address, data={**form, **proof}, timeout=_TIMEOUT_SECONDS))

    def _assertion(self) -> str:
        """Proves who asks (RFC 7523); good once, for a minute."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": secrets.token_urlsafe(24),
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
        }
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)

    def _id_token(self, metadata: dict[str, Any], text: str, nonce: str, access_token: str) -> dict[str, Any]:
        wanted: dict[str, jwt.ClaimsOption] = {
            "nonce": {"essential": True, "value": nonce},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "auth_time": {"essential": True},
            "sub": {"essential": True},
            "sid": {"essential": True},
            "acr": {"essential": True, "values": list(LEVELS)},
        }
        claims = self._verified(metadata, text, wanted).claims
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        if claims.get("at_hash") != base64.urlsafe_b64encode(half).rstrip(b"=").decode():
            raise SignInFailed("at_hash")
        if claims.get("azp", self.client_id) != self.client_id:
            raise SignInFailed("azp")
        return dict(claims)

    def _verified(self, metadata: dict[str, Any], text: str, wanted: dict[str, jwt.ClaimsOption]) -> jwt.Token:
        # Fetched each time: keys change, and a demo has no traffic to spare.
        keys = _answered(_http().get(metadata["jwks_uri"], timeout=_TIMEOUT_SECONDS))
        wanted = {
            **wanted,
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
        }
        try:
            token = jwt.decode(text, KeySet.import_key_set(keys), algorithms=_ALGORITHMS)  # type: ignore[arg-type]  # checked
            jwt.JWTClaimsRegistry(None, _LEEWAY_SECONDS, **wanted).validate(token.claims)
        except (JoseError, ValueError, TypeError, KeyError) as fault:
            raise SignInFailed(type(fault).__name__) from None
        return token


def _http() -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    return made


def _answered(answer: requests.Response) -> dict[str, Any]:
    """The object that the provider answered. Raises `SignInFailed` with its error code."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SignInFailed(f"HTTP {answer.status_code}")
    if answer.status_code != 200:
        raise SignInFailed(str(found.get("error", f"HTTP {answer.status_code}")))
    return found
