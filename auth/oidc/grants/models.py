"""The tables of what came of authorization requests."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from auth.oidc.grants.rules import TokenKind
from core.db import Base, UuidKey

_KINDS = ", ".join(f"'{kind}'" for kind in TokenKind)


class OidcSubject(UuidKey, Base):
    """The pseudonym of a person in one sector (pairwise `sub`, S4)."""

    __tablename__ = "oidc_subject"
    __table_args__ = (UniqueConstraint("sector", "subject_id"), UniqueConstraint("sector", "sub"))

    sector: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    sub: Mapped[str] = mapped_column(Text)


class OidcSignOn(UuidKey, Base):
    """A client that is signed in through a citizen session. Its key is the `sid` that this client sees.

    `told_at`: when the client took our logout token, if it is told.
    """

    __tablename__ = "oidc_sign_on"
    __table_args__ = (
        Index(
            "uq_oidc_sign_on_standing",
            "session_id",
            "client_key",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    client_key: Mapped[UUID] = mapped_column(ForeignKey("oidc_client.id"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("citizen_session.id", ondelete="CASCADE"), index=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    sub: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]


class OidcGrant(UuidKey, Base):
    """What a person granted in one sign-in, with the code that carries it to the client; tokens hang on it.

    `level`: what was proven then, as the client asked to be told (acr). Revoked: every token of it is dead.
    """

    __tablename__ = "oidc_grant"
    __table_args__ = (CheckConstraint("(revoked_at IS NULL) = (revoke_reason IS NULL)", name="revoked_has_reason"),)

    sign_on_id: Mapped[UUID] = mapped_column(ForeignKey("oidc_sign_on.id", ondelete="CASCADE"), index=True)
    redirect_uri: Mapped[str] = mapped_column(Text)
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    code_challenge: Mapped[str] = mapped_column(Text)
    code_expires_at: Mapped[datetime]
    code_used_at: Mapped[datetime | None]
    nonce: Mapped[str | None] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    level: Mapped[int]
    auth_time: Mapped[datetime]
    amr: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str | None] = mapped_column(Text)


class OidcToken(UuidKey, Base):
    """An access or refresh token; only its hash. `used_at`: a refresh token that was exchanged."""

    __tablename__ = "oidc_token"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint("used_at IS NULL OR kind = 'REFRESH'", name="refresh_is_used"),
    )

    grant_id: Mapped[UUID] = mapped_column(ForeignKey("oidc_grant.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
