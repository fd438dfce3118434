"""The table of client assertions that were used (RFC 7523)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey


class OidcAssertion(UuidKey, Base):
    """The `jti` of one assertion of a client: shown again before `expires_at`, it is a replay."""

    __tablename__ = "oidc_assertion"
    __table_args__ = (UniqueConstraint("client_key", "jti_hash"),)

    client_key: Mapped[UUID] = mapped_column(ForeignKey("oidc_client.id"))
    jti_hash: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)
