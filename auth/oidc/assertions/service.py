"""Checking client assertions. The session is given; nothing here commits."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.oidc.assertions.models import OidcAssertion
from auth.oidc.clients.rules import CLIENT_ALGORITHMS, AuthMethod
from auth.oidc.endpoints import rules
from core import ids

_BATCH = 1_000
_LONGEST = 8_000
_LONGEST_ID = 500


class Assertion(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib has no types
    """RFC 7523 as Authlib checks it, with our keys, our algorithms and a replay store that outlives a restart."""

    CLIENT_AUTH_METHOD = AuthMethod.PRIVATE_KEY_JWT.value

    def __init__(self, session: Session, *, issuer: str, now: datetime) -> None:
        super().__init__(leeway=rules.LEEWAY_SECONDS)
        self._session = session
        self._issuer = issuer
        self._now = now
        self._client: Any = None

    def get_audiences(self) -> list[str]:
        """Both readings of RFC 7523 are in use: the provider's name, and the token endpoint's address."""
        return [self._issuer, self._issuer + rules.TOKEN]

    def extract_assertion(self, assertion: str) -> Any:
        """Header and claims, not verified yet. Raises `InvalidClientError`."""
        if len(assertion) > _LONGEST:
            raise InvalidClientError()
        return super().extract_assertion(assertion)

    def resolve_client_public_key(self, client: Any) -> KeySet:
        """The client's registered keys. Raises `InvalidClientError` for a client without."""
        self._client = client.registered
        if self._client.jwks is None:
            raise InvalidClientError()
        return KeySet.import_key_set(dict(self._client.jwks))  # type: ignore[arg-type]  # checked when registered

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> Any:
        """The claims, verified. Raises `InvalidClientError`."""
        try:
            claims = jwt.decode(assertion, resolve_key, algorithms=list(CLIENT_ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError, KeyError):
            raise InvalidClientError() from None
        self.verify_claims(claims)
        return claims

    def validate_jti(self, claims: dict[str, Any], jti: Any) -> bool:
        """Note the assertion as used; False when it was, or when it would be good for too long."""
        until = datetime.fromtimestamp(float(claims["exp"]), UTC)
        if not isinstance(jti, str) or len(jti) > _LONGEST_ID or until - self._now > rules.LONGEST_ASSERTION:
            return False
        noted = self._session.scalar(
            insert(OidcAssertion)
            .values(
                id=ids.uuid7(),
                client_key=self._client.id,
                jti_hash=hashlib.sha256(jti.encode()).digest(),
                expires_at=until,
            )
            .on_conflict_do_nothing(index_elements=["client_key", "jti_hash"])
            .returning(OidcAssertion.id)
        )
        return noted is not None


def prune(session: Session, *, now: datetime) -> int:
    """Forget a batch of assertions that are over for longer than the leeway; how many."""
    over = select(OidcAssertion.id).where(OidcAssertion.expires_at < now - rules.LONGEST_ASSERTION).limit(_BATCH)
    return len(
        session.scalars(delete(OidcAssertion).where(OidcAssertion.id.in_(over)).returning(OidcAssertion.id)).all()
    )
