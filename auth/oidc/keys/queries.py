"""Reads of keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.oidc.keys.models import OidcSigningKey


def published(session: Session) -> Sequence[dict[str, Any]]:
    """The public keys a client may meet: next, signing and retiring ones, the newest first."""
    return session.scalars(select(OidcSigningKey.public_jwk).order_by(OidcSigningKey.id.desc())).all()
