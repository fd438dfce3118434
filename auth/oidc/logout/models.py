"""The table of sign-outs that a person is asked about."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey


class OidcSignOut(UuidKey, Base):
    """A sign-out asked for by a site that couldn't show an ID token of this session; bound to one browser."""

    __tablename__ = "oidc_sign_out"

    handle: Mapped[str] = mapped_column(Text, unique=True)
    browser_id: Mapped[UUID] = mapped_column(ForeignKey("oidc_browser.id", ondelete="CASCADE"), index=True)
    client_key: Mapped[UUID | None] = mapped_column(ForeignKey("oidc_client.id"))
    redirect_to: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(index=True)
