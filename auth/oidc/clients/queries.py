"""Reads of clients."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.oidc.clients.models import OidcClient
from auth.oidc.clients.rules import AuthMethod, ClientType, is_client_id
from auth.oidc.keys.rules import Algorithm
from core import security
from core.errors import NotFound
from core.web.paging import Page, by_id


@dataclass(frozen=True, slots=True)
class Client:
    """A client as the protocol needs it."""

    id: UUID
    client_id: str
    name_zh: str
    name_en: str
    department: str
    type: ClientType
    auth_method: AuthMethod
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    backchannel_logout_uri: str | None
    initiate_login_uri: str | None
    scopes: tuple[str, ...]
    max_level: int
    id_token_algorithm: Algorithm
    sector: str
    jwks: Mapping[str, Any] | None = field(repr=False)
    secrets: tuple[tuple[bytes, datetime | None], ...] = field(repr=False)

    def knows_secret(self, secret: str, now: datetime) -> bool:
        """Whether `secret` is this client's, or the one before it within its time."""
        shown = secret_hash(secret)
        return any(hmac.compare_digest(kept, shown) for kept, until in self.secrets if until is None or until > now)


def secret_hash(secret: str) -> bytes:
    """What is kept of a secret: it has 256 random bits, so a keyed hash can't be searched."""
    return security.lookup("oidc_client_secret", secret)


def find(session: Session, client_id: str) -> Client | None:
    """The active client `client_id`, or None."""
    if not is_client_id(client_id):
        return None
    row = session.scalar(select(OidcClient).where(OidcClient.client_id == client_id, OidcClient.active))
    return None if row is None else _client(row)


def active(session: Session, key: UUID) -> Client | None:
    """The client with this key, unless it is disabled."""
    row = session.get(OidcClient, key)
    return None if row is None or not row.active else _client(row)


def by_key(session: Session, key: UUID) -> Client:
    """The client with this key, also a disabled one. Raises `NotFound`."""
    row = session.get(OidcClient, key)
    if row is None:
        raise NotFound()
    return _client(row)


def by_keys(session: Session, keys: Collection[UUID]) -> dict[UUID, Client]:
    """The clients with these keys, also disabled ones."""
    return {row.id: _client(row) for row in session.scalars(select(OidcClient).where(OidcClient.id.in_(keys)))}


def page(session: Session, args: Mapping[str, Any]) -> Page[OidcClient]:
    """All clients, a page at a time, the newest first."""
    return by_id(session, select(OidcClient), OidcClient.id, args)


def everybody(session: Session) -> Sequence[OidcClient]:
    """All clients by name, for the command line."""
    return session.scalars(select(OidcClient).order_by(OidcClient.client_id)).all()


def registered(session: Session, client_id: str) -> OidcClient:
    """The registration of `client_id`, also a disabled one. Raises `NotFound`."""
    row = (
        session.scalar(select(OidcClient).where(OidcClient.client_id == client_id)) if is_client_id(client_id) else None
    )
    if row is None:
        raise NotFound()
    return row


def _client(row: OidcClient) -> Client:
    secrets = [(row.secret_hash, None), (row.old_secret_hash, row.old_secret_until)]
    return Client(
        id=row.id,
        client_id=row.client_id,
        name_zh=row.name_zh,
        name_en=row.name_en,
        department=row.department,
        type=ClientType(row.type),
        auth_method=AuthMethod(row.auth_method),
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        backchannel_logout_uri=row.backchannel_logout_uri,
        initiate_login_uri=row.initiate_login_uri,
        scopes=tuple(row.scopes),
        max_level=row.max_level,
        id_token_algorithm=Algorithm(row.id_token_algorithm),
        sector=row.sector,
        jwks=row.jwks,
        secrets=tuple((bytes(kept), until) for kept, until in secrets if kept is not None),
    )
