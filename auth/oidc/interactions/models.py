"""The table of authorization requests that wait for a person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Encrypted, UuidKey


class OidcInteraction(UuidKey, Base):
    """One authorization request, from its arrival to the redirect that answers it; bound to one browser.

    `levels`: what the client asks for, any of them is enough; `essential`: without one of them it wants an error.
    `account_session_id`: the citizen session that the person chose or opened for this request.
    """

    __tablename__ = "oidc_interaction"
    __table_args__ = (
        CheckConstraint("(finished_at IS NULL) = (outcome IS NULL)", name="finished_has_outcome"),
        CheckConstraint("max_age IS NULL OR max_age >= 0", name="max_age_positive"),
    )

    handle: Mapped[str] = mapped_column(Text, unique=True)
    browser_id: Mapped[UUID] = mapped_column(ForeignKey("oidc_browser.id", ondelete="CASCADE"), index=True)
    client_key: Mapped[UUID] = mapped_column(ForeignKey("oidc_client.id"))
    redirect_uri: Mapped[str] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(Text)
    nonce: Mapped[str | None] = mapped_column(Text)
    code_challenge: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    levels: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    essential: Mapped[bool]
    prompts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    max_age: Mapped[int | None]
    login_hint: Mapped[str | None] = mapped_column(Encrypted("oidc_interaction.login_hint"))
    hinted_sub: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    account_session_id: Mapped[UUID | None]
    step_up_declined: Mapped[bool]
    consented_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    grant_id: Mapped[UUID | None]
