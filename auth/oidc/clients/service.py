"""Registering, changing and disabling clients. The session is given; nothing here commits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.oidc.clients import rules
from auth.oidc.clients.errors import ClientExists
from auth.oidc.clients.models import OidcClient
from auth.oidc.clients.queries import secret_hash
from auth.oidc.clients.rules import AuthMethod, ClientType, Registration
from core import audit, clock, ids
from core.actors import Actor
from core.errors import InvalidInput, NotFound, StateConflict

_CHANGEABLE = (
    "name_zh", "name_en", "department", "redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri",
    "initiate_login_uri", "scopes", "max_level", "jwks", "id_token_algorithm",
)  # fmt: skip
_LISTS = frozenset({"redirect_uris", "post_logout_redirect_uris", "scopes"})


@dataclass(frozen=True, slots=True)
class Registered:
    """A client just registered; its secret is shown this once, None for a client without."""

    client: OidcClient
    secret: str | None = field(repr=False)


def register(session: Session, *, actor: Actor, wanted: Registration) -> Registered:
    """Register a client. Raises `InvalidInput` by field, `ClientExists`."""
    _refuse_faults(wanted)
    if session.scalar(select(OidcClient.id).where(OidcClient.client_id == wanted.client_id)) is not None:
        raise ClientExists()
    now = clock.wall()
    secret = ids.random_token(256) if wanted.auth_method in rules.WITH_SECRET else None
    row = OidcClient(
        client_id=wanted.client_id,
        type=wanted.type,
        auth_method=wanted.auth_method,
        secret_hash=None if secret is None else secret_hash(secret),
        sector=wanted.sector,
        active=True,
        created_at=now,
        changed_at=now,
        **{name: _stored(name, getattr(wanted, name)) for name in _CHANGEABLE},
    )
    session.add(row)
    session.flush()
    _record(session, actor, row, "oidc_client.register")
    return Registered(row, secret)


def change(session: Session, *, actor: Actor, client_id: str, **changes: Any) -> OidcClient:
    """Change what is known of a client; its id, type, method and sector never change. Raises `NotFound`, `InvalidInput`."""
    row = _locked(session, client_id)
    before = _state(row)
    wanted = Registration(
        client_id=row.client_id,
        type=ClientType(row.type),
        auth_method=AuthMethod(row.auth_method),
        sector=row.sector,
        **{name: getattr(row, name) for name in _CHANGEABLE},
    )
    wanted = replace(wanted, **{name: value for name, value in changes.items() if name in _CHANGEABLE})
    _refuse_faults(wanted)
    for name in _CHANGEABLE:
        setattr(row, name, _stored(name, getattr(wanted, name)))
    row.changed_at = clock.wall()
    session.flush()
    _record(session, actor, row, "oidc_client.change", before=before)
    return row


def rotate_secret(session: Session, *, actor: Actor, client_id: str, at_once: bool = False) -> str:
    """A new secret, shown this once. The old one goes on for 24 hours, or with `at_once` (it leaked) not at all.

    Raises `NotFound`, and `StateConflict` for a client without a secret.
    """
    row = _locked(session, client_id)
    if row.secret_hash is None:
        raise StateConflict()
    now = clock.wall()
    secret = ids.random_token(256)
    row.old_secret_hash = None if at_once else row.secret_hash
    row.old_secret_until = None if at_once else now + rules.OLD_SECRET_LASTS
    row.secret_hash, row.changed_at = secret_hash(secret), now
    _record(session, actor, row, "oidc_client.rotate_secret", at_once=at_once)
    return secret


def set_active(session: Session, *, actor: Actor, client_id: str, active: bool) -> OidcClient:
    """Disable a client, or enable it again. A disabled one is refused everywhere at once. Raises `NotFound`."""
    row = _locked(session, client_id)
    row.active, row.changed_at = active, clock.wall()
    _record(session, actor, row, "oidc_client.enable" if active else "oidc_client.disable")
    return row


def _locked(session: Session, client_id: str) -> OidcClient:
    if not rules.is_client_id(client_id):
        raise NotFound()
    row = session.scalar(select(OidcClient).where(OidcClient.client_id == client_id).with_for_update())
    if row is None:
        raise NotFound()
    return row


def _refuse_faults(wanted: Registration) -> None:
    found = rules.faults(wanted)
    if found:
        raise InvalidInput(fields=found)


def _stored(name: str, value: Any) -> Any:
    if name in _LISTS:
        return list(value)
    return dict(value) if name == "jwks" and value is not None else value


def _state(row: OidcClient) -> dict[str, object]:
    return {name: getattr(row, name) for name in (*_CHANGEABLE, "active")}


def _record(
    session: Session,
    actor: Actor,
    row: OidcClient,
    action: str,
    *,
    before: dict[str, object] | None = None,
    at_once: bool | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="oidc_client",
        object_id=row.client_id,
        before=before,
        after=_state(row),
        at_once=at_once,
    )
