"""The table of clients."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from auth.oidc.clients.rules import HIGHEST_LEVEL, AuthMethod, ClientType
from auth.oidc.keys.rules import ALGORITHMS
from core.db import Base, UuidKey

_ALGORITHMS = ", ".join(f"'{algorithm}'" for algorithm in ALGORITHMS)
_TYPES = ", ".join(f"'{kind}'" for kind in ClientType)
_METHODS = ", ".join(f"'{method}'" for method in AuthMethod)


class OidcClient(UuidKey, Base):
    """A department's site or app. Of its secret only a keyed hash is kept, and of the one before it until `old_secret_until`."""

    __tablename__ = "oidc_client"
    __table_args__ = (
        CheckConstraint(f"type IN ({_TYPES})", name="type_known"),
        CheckConstraint(f"auth_method IN ({_METHODS})", name="auth_method_known"),
        CheckConstraint("(type = 'PUBLIC') = (auth_method = 'none')", name="public_without_proof"),
        CheckConstraint(
            "(secret_hash IS NOT NULL) = (auth_method IN ('client_secret_basic', 'client_secret_post'))",
            name="secret_where_used",
        ),
        CheckConstraint("(jwks IS NOT NULL) = (auth_method = 'private_key_jwt')", name="keys_where_used"),
        CheckConstraint("(old_secret_hash IS NULL) = (old_secret_until IS NULL)", name="old_secret_ends"),
        CheckConstraint(f"id_token_algorithm IN ({_ALGORITHMS})", name="id_token_algorithm_known"),
        CheckConstraint(f"max_level BETWEEN 1 AND {HIGHEST_LEVEL}", name="level_known"),
    )

    client_id: Mapped[str] = mapped_column(Text, unique=True)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    department: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    auth_method: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[bytes | None]
    old_secret_hash: Mapped[bytes | None]
    old_secret_until: Mapped[datetime | None]
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text))
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text))
    backchannel_logout_uri: Mapped[str | None] = mapped_column(Text)
    initiate_login_uri: Mapped[str | None] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    max_level: Mapped[int]
    id_token_algorithm: Mapped[str] = mapped_column(Text)
    sector: Mapped[str] = mapped_column(Text)
    active: Mapped[bool]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
