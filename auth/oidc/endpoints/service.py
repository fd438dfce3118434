"""The endpoints that clients call, as Authlib's authorization server answers them. Framework-neutral; nothing here commits.

Authlib turns its own refusals into answers, so that what a refusal leaves behind (a code used twice kills its tokens)
is part of the same transaction and is committed with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    AuthorizationServer,
    ClientMixin,
    InvalidClientError,
    InvalidRequestError,
    OAuth2Error,
    TokenMixin,
    grants,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oidc.core.util import create_half_hash
from sqlalchemy.orm import Session

from auth.oidc.assertions.service import Assertion
from auth.oidc.clients import queries as clients
from auth.oidc.clients.queries import Client
from auth.oidc.clients.rules import AuthMethod
from auth.oidc.endpoints.rules import Answer, Asked
from auth.oidc.grants import queries as grant_queries
from auth.oidc.grants import rules as grant_rules
from auth.oidc.grants import service as granted
from auth.oidc.grants.queries import Standing, Token
from auth.oidc.grants.rules import RevokeReason, TokenKind
from auth.oidc.keys import service as keys
from core import ids
from core.actors import Partner

_OFFLINE = "offline_access"
_WITH_PROOF = [AuthMethod.SECRET_BASIC.value, AuthMethod.SECRET_POST.value, AuthMethod.PRIVATE_KEY_JWT.value]
_ALL_METHODS = [*_WITH_PROOF, AuthMethod.NONE.value]
_NO_STORE = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]


def token(session: Session, asked: Asked, *, now: datetime) -> Answer:
    """Exchange a code or a refresh token (RFC 6749, 4.1.3 and 6)."""
    answer: Answer = _Server(session, now).create_token_response(asked)
    return answer


def revoke(session: Session, asked: Asked, *, now: datetime) -> Answer:
    """Revoke a token (RFC 7009); 200 also for one that is unknown or another client's."""
    answer: Answer = _Server(session, now).create_endpoint_response(RevocationEndpoint.ENDPOINT_NAME, asked)
    return answer


def introspect(session: Session, asked: Asked, *, now: datetime) -> Answer:
    """Say what a token of the calling client is good for (RFC 7662); `active: false` for anything else."""
    answer: Answer = _Server(session, now).create_endpoint_response(IntrospectionEndpoint.ENDPOINT_NAME, asked)
    return answer


def client_of(session: Session, asked: Asked, *, now: datetime) -> Client | Answer:
    """The client that calls, proven as at the other endpoints (never a public one); else the refusal to send."""
    server = _Server(session, now)
    request = server.create_oauth2_request(asked)
    try:
        return server.authenticate_client(request, _WITH_PROOF).registered
    except OAuth2Error as refused:
        answer: Answer = server.handle_error_response(request, refused)
        return answer


def userinfo(session: Session, value: str, *, now: datetime) -> dict[str, object] | None:
    """The claims about the person whose access token this is; None for a token that isn't good."""
    found = grant_queries.token(session, value, now=now)
    if found is None or found.kind is not TokenKind.ACCESS:
        return None
    return grant_queries.userinfo(session, found)


def id_token(session: Session, standing: Standing, *, access_token: str, nonce: str | None, now: datetime) -> str:
    """The ID token that goes with an access token (OpenID Connect Core, 2)."""
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "sub": standing.sub,
        "aud": standing.client.client_id,
        "azp": standing.client.client_id,
        "iat": issued,
        "exp": issued + int(grant_rules.ID_TOKEN_LASTS.total_seconds()),
        "auth_time": int(standing.auth_time.timestamp()),
        "acr": grant_rules.acr(grant_queries.level_now(standing)),
        "amr": list(standing.amr),
        "at_hash": create_half_hash(access_token, standing.client.id_token_algorithm.value).decode(),
        "sid": str(standing.sid),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    return keys.sign(session, claims, algorithm=standing.client.id_token_algorithm)


class _Request(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A request as Authlib reads it: the form is all there is."""

    def __init__(self, asked: Asked) -> None:
        # The address only says "over TLS": that is the deployment's duty (core.settings refuses anything else in production).
        super().__init__("POST", f"https://localhost{asked.path}", headers=_Headers(asked.headers))
        self._form = {name: values[0] for name, values in asked.form.items() if values and values[0]}
        self.payload = BasicOAuth2Payload(self._form)
        self.repeated = any(len(values) > 1 for values in asked.form.values())

    @property
    def form(self) -> dict[str, str]:
        """The fields of the body."""
        return self._form


class _Headers(dict[str, str]):
    """Headers by name in any case."""

    def get(self, name: str, default: Any = None) -> Any:
        """The header's value."""
        return super().get(name.lower(), default)


class _Client(ClientMixin):  # type: ignore[misc]
    """A registered client as Authlib asks about it."""

    def __init__(self, registered: Client, now: datetime) -> None:
        self.registered = registered
        self._now = now

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is its secret."""
        return self.registered.knows_secret(client_secret, self._now)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """Only the way it is registered for, at every endpoint."""
        return self.registered.auth_method == method

    def check_grant_type(self, grant_type: str) -> bool:  # noqa: ARG002
        """Codes are for all; a refresh token is only there to be shown if one was issued."""
        return True


class _Code(AuthorizationCodeMixin):  # type: ignore[misc]
    """A code that was just used up."""

    code_challenge_method = "S256"

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.code_challenge = standing.code_challenge

    def get_redirect_uri(self) -> str:
        """The address it was sent to."""
        return self.standing.redirect_uri

    def get_scope(self) -> str:
        """What it is for."""
        return " ".join(self.standing.scopes)


class _Token(TokenMixin):  # type: ignore[misc]
    """A token that is good now, of the client that shows it."""

    def __init__(self, found: Token) -> None:
        self.found = found

    def check_client(self, client: _Client) -> bool:
        """Whether it is that client's."""
        return self.found.standing.client.id == client.registered.id

    def get_scope(self) -> str:
        """What it is for."""
        return " ".join(self.found.scopes)

    def is_expired(self) -> bool:
        """Only good ones are ever looked up."""
        return False

    def is_revoked(self) -> bool:
        """Only good ones are ever looked up."""
        return False


class _CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """A code for tokens."""

    TOKEN_ENDPOINT_AUTH_METHODS = _ALL_METHODS

    def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
        """The code, used up by being looked at."""
        server = self.server
        found = granted.use_code(server.session, client=client.registered, code=code, now=server.now)
        return None if found is None else _Code(found)

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        """It is used up already, and stays so that a second use is noticed."""

    def authenticate_user(self, authorization_code: _Code) -> Standing:
        """Whose it is: the grant, which is good now."""
        return authorization_code.standing


class _RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """A refresh token for fresh tokens; it is spent by that."""

    TOKEN_ENDPOINT_AUTH_METHODS = _ALL_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> _Token | None:
        """The refresh token, if it is good and this client's."""
        server, client = self.server, self.request.client
        found = granted.use_refresh(server.session, client=client.registered, value=refresh_token, now=server.now)
        return None if found is None else _Token(found)

    def authenticate_user(self, refresh_token: _Token) -> Standing:
        """Whose it is."""
        return refresh_token.found.standing

    def revoke_old_credential(self, refresh_token: _Token) -> None:
        """It was exchanged."""
        granted.spend(self.server.session, refresh_token.found.id, now=self.server.now)


class _WithIdToken:
    """Adds the ID token to what is issued; `fresh`: for a code, whose nonce it carries."""

    def __init__(self, *, fresh: bool) -> None:
        self._fresh = fresh

    def __call__(self, grant: Any) -> None:
        """Authlib calls extensions with the grant they extend."""
        grant.register_hook("after_create_token_response", self._add)

    def _add(self, grant: Any, response: tuple[int, dict[str, Any], Any]) -> None:
        standing: Standing = grant.request.user
        body, server = response[1], grant.server
        nonce = standing.nonce if self._fresh else None
        access = body["access_token"]
        body["id_token"] = id_token(server.session, standing, access_token=access, nonce=nonce, now=server.now)


class _OwnToken:
    """How revocation and introspection look a token up: by value, whatever the hint says, and only the caller's own."""

    def authenticate_token(self, request: _Request, client: _Client) -> _Token | None:
        """The caller's token, if it is good now. Raises `InvalidRequestError` when none was sent."""
        if "token" not in request.form:
            raise InvalidRequestError("token is missing")
        server = self.server  # type: ignore[attr-defined]
        found = grant_queries.token(server.session, request.form["token"], now=server.now)
        return _Token(found) if found is not None and _Token(found).check_client(client) else None


class _Revocation(_OwnToken, RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009."""

    CLIENT_AUTH_METHODS = _ALL_METHODS

    def revoke_token(self, token: _Token, request: _Request) -> None:
        """A refresh token takes its whole grant along, an access token goes alone."""
        session: Session = self.server.session
        if token.found.kind is TokenKind.ACCESS:
            granted.revoke_access(session, token.found.id)
            return
        granted.revoke(
            session,
            actor=Partner(f"oidc:{request.client.registered.client_id}"),
            grant_id=token.found.standing.grant_id,
            reason=RevokeReason.REVOKED_BY_CLIENT,
        )


class _Introspection(_OwnToken, IntrospectionEndpoint):  # type: ignore[misc]
    """RFC 7662, for clients that can prove who they are."""

    CLIENT_AUTH_METHODS = _WITH_PROOF

    def introspect_token(self, token: _Token) -> dict[str, Any]:
        """What it is good for (RFC 7662, 2.2; RFC 9470, 6.2)."""
        found, standing = token.found, token.found.standing
        return {
            "active": True,
            "client_id": standing.client.client_id,
            "token_type": "Bearer" if found.kind is TokenKind.ACCESS else "refresh_token",
            "scope": token.get_scope(),
            "sub": standing.sub,
            "aud": standing.client.client_id,
            "iss": keys.issuer(),
            "iat": int(found.created_at.timestamp()),
            "exp": int(found.expires_at.timestamp()),
            "acr": grant_rules.acr(grant_queries.level_now(standing)),
            "auth_time": int(standing.auth_time.timestamp()),
        }


class _Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's authorization server for one request in one transaction."""

    def __init__(self, session: Session, now: datetime) -> None:
        super().__init__()
        self.session = session
        self.now = now
        self.register_client_auth_method(
            Assertion.CLIENT_AUTH_METHOD, Assertion(session, issuer=keys.issuer(), now=now)
        )
        self.register_grant(_CodeGrant, [CodeChallenge(required=True), _WithIdToken(fresh=True)])
        self.register_grant(_RefreshGrant, [_WithIdToken(fresh=False)])
        self.register_endpoint(_Revocation)
        self.register_endpoint(_Introspection)

    def query_client(self, client_id: str) -> _Client | None:
        """The active client with this id."""
        found = clients.find(self.session, client_id)
        return None if found is None else _Client(found, self.now)

    def authenticate_client(self, request: _Request, methods: list[str], endpoint: str = "token") -> _Client:
        """The client, proven in exactly one way. Every failure reads the same. Raises `InvalidClientError`, `InvalidRequestError`."""
        form = request.form
        shown = ["authorization" in request.headers, "client_secret" in form, "client_assertion" in form]
        if request.repeated or sum(shown) > 1:
            raise InvalidRequestError("a field is sent twice, or more than one way of client authentication")
        try:
            found: _Client = super().authenticate_client(request, methods, endpoint)
        except (InvalidClientError, ValueError, TypeError, KeyError):
            raise InvalidClientError("client authentication failed", status_code=401) from None
        if form.get("client_id", found.registered.client_id) != found.registered.client_id:
            raise InvalidClientError("client authentication failed", status_code=401)
        return found

    def generate_token(
        self, *, user: Standing, include_refresh_token: bool = True, scope: str, **_: Any
    ) -> dict[str, Any]:
        """Fresh opaque tokens; `save_token` stores them."""
        ends = grant_rules.token_end(TokenKind.ACCESS, self.now, user.live.expires_at)
        made = {
            "token_type": "Bearer",
            "access_token": ids.random_token(256),
            "expires_in": int((ends - self.now).total_seconds()),
            "scope": scope,
        }
        if include_refresh_token and _OFFLINE in user.scopes:
            made["refresh_token"] = ids.random_token(256)
        return made

    def save_token(self, token: dict[str, Any], request: _Request) -> None:
        """Store what was generated. A refresh token keeps all that was granted, however little this access token is for."""
        standing: Standing = request.user
        pairs = [("access_token", TokenKind.ACCESS, token["scope"].split())]
        if "refresh_token" in token:
            pairs.append(("refresh_token", TokenKind.REFRESH, list(standing.scopes)))
        for name, kind, scopes in pairs:
            granted.issue(self.session, standing=standing, kind=kind, value=token[name], scopes=scopes, now=self.now)

    def create_oauth2_request(self, request: Asked | _Request) -> _Request:
        """Authlib's view of a request."""
        return request if isinstance(request, _Request) else _Request(request)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        """Our view of its answer."""
        kept = [
            (name, value) for name, value in headers if name.lower() not in {"content-type", "cache-control", "pragma"}
        ]
        return Answer(status, body if isinstance(body, dict) else dict(body or []), [*kept, *_NO_STORE])

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens: what happened is in the audit log."""
