"""The table of browsers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey


class OidcBrowser(UuidKey, Base):
    """A browser that was sent here by a department's site, and the citizen session it is signed in to, if any."""

    __tablename__ = "oidc_browser"
    __table_args__ = (CheckConstraint("session_id IS NULL OR auth_time IS NOT NULL", name="signed_in_since"),)

    token_hash: Mapped[bytes] = mapped_column(unique=True)
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("citizen_session.id", ondelete="SET NULL"), index=True)
    auth_time: Mapped[datetime | None]
    amr: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
