"""The table of signing keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.oidc.keys.rules import ALGORITHMS, KeyState
from core.db import Base, Encrypted, UuidKey

_ALGORITHMS = ", ".join(f"'{algorithm}'" for algorithm in ALGORITHMS)
_STATES = ", ".join(f"'{state}'" for state in KeyState)


class OidcSigningKey(UuidKey, Base):
    """A key pair that signs ID tokens and logout tokens. `leaves_at`: when a retiring one is no longer published."""

    __tablename__ = "oidc_signing_key"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("(state = 'RETIRING') = (leaves_at IS NOT NULL)", name="retiring_leaves"),
        CheckConstraint(f"algorithm IN ({_ALGORITHMS})", name="algorithm_known"),
        Index("uq_oidc_signing_key_active", "algorithm", unique=True, postgresql_where=text("state = 'ACTIVE'")),
        Index("uq_oidc_signing_key_next", "algorithm", unique=True, postgresql_where=text("state = 'NEXT'")),
    )

    kid: Mapped[str] = mapped_column(Text, unique=True)
    algorithm: Mapped[str] = mapped_column(Text)
    private_key: Mapped[str] = mapped_column(Encrypted("oidc_signing_key.private_key"))
    public_jwk: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    leaves_at: Mapped[datetime | None]
