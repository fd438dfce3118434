"""Tables of sessions, their refresh tokens and the sign-in history."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from auth.sessions.rules import LIFETIMES, LoginResult, Method
from core.db import Base, UuidKey

_CHANNELS = ", ".join(f"'{channel}'" for channel in (*LIFETIMES, "HALL", "HOTLINE"))
_METHODS = ", ".join(f"'{method}'" for method in Method)
_RESULTS = ", ".join(f"'{result}'" for result in LoginResult)


class CitizenSession(UuidKey, Base):
    """One signed-in device, and the family of its refresh tokens. `proofs_since`: the session is restricted; see `auth`."""

    __tablename__ = "citizen_session"
    __table_args__ = (
        CheckConstraint(f"channel IN ({_CHANNELS})", name="channel_known"),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_has_reason"),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    channel: Mapped[str] = mapped_column(Text)
    phone_binding_id: Mapped[UUID | None] = mapped_column(ForeignKey("phone_binding.id"))
    wechat_binding_id: Mapped[UUID | None] = mapped_column(ForeignKey("wechat_binding.id"))
    alipay_binding_id: Mapped[UUID | None] = mapped_column(ForeignKey("alipay_binding.id"))
    proofs_since: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    device: Mapped[str | None] = mapped_column(Text)


class RefreshToken(UuidKey, Base):
    """One refresh token of a family; only its hash. `successor_id`: what it was exchanged for."""

    __tablename__ = "refresh_token"
    __table_args__ = (CheckConstraint("successor_id IS NULL OR used_at IS NOT NULL", name="successor_of_used"),)

    session_id: Mapped[UUID] = mapped_column(ForeignKey("citizen_session.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("refresh_token.id", ondelete="CASCADE"), index=True)


class LoginEvent(UuidKey, Base):
    """One attempt to sign in, or the reuse of a refresh token. Without a subject: nobody holds the phone."""

    __tablename__ = "login_event"
    __table_args__ = (
        CheckConstraint(f"method IN ({_METHODS})", name="method_known"),
        CheckConstraint(f"result IN ({_RESULTS})", name="result_known"),
    )

    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    method: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    device: Mapped[str | None] = mapped_column(Text)
