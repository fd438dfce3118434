"""The tables of members of staff and their sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Encrypted, UuidKey

# 2.7: nobody holds two of the three administrators.
SEPARATION = (
    "(CASE WHEN 'SYSTEM_ADMIN' = ANY (roles) THEN 1 ELSE 0 END"
    " + CASE WHEN 'SECURITY_ADMIN' = ANY (roles) THEN 1 ELSE 0 END"
    " + CASE WHEN 'AUDIT_ADMIN' = ANY (roles) THEN 1 ELSE 0 END) <= 1"
)


class StaffMember(UuidKey, Base):
    """One person who works here. `password_hash` is argon2id, `totp_last_step` the last one-time code's step."""

    __tablename__ = "staff_member"
    __table_args__ = (CheckConstraint(SEPARATION, name="administrators_apart"),)

    username: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Encrypted("staff_member.name"))
    password_hash: Mapped[str] = mapped_column(Text)
    totp_secret: Mapped[str] = mapped_column(Encrypted("staff_member.totp_secret"))
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    hall_id: Mapped[UUID | None]
    department_id: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean)
    failed_attempts: Mapped[int] = mapped_column(Integer)
    locked_until: Mapped[datetime | None]
    password_changed_at: Mapped[datetime]
    created_at: Mapped[datetime]
    must_change_password: Mapped[bool] = mapped_column(Boolean, server_default="false")
    expires_at: Mapped[datetime | None]


class StaffPassword(UuidKey, Base):
    """A password that was in use before, as argon2id: the last ones aren't taken again."""

    __tablename__ = "staff_password"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"), index=True)
    password_hash: Mapped[str] = mapped_column(Text)
    replaced_at: Mapped[datetime]


class StaffRoleChange(UuidKey, Base):
    """Who gave whom which roles, and why. Append-only; nobody's own (2.7)."""

    __tablename__ = "staff_role_change"
    __table_args__ = (CheckConstraint("changed_by <> staff_id", name="by_somebody_else"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"), index=True)
    changed_by: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"))
    before: Mapped[list[str]] = mapped_column(ARRAY(Text))
    after: Mapped[list[str]] = mapped_column(ARRAY(Text))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class StaffAuthenticatorReset(UuidKey, Base):
    """A new authenticator for who lost the phone: one asks, another agrees, neither is the member."""

    __tablename__ = "staff_authenticator_reset"
    __table_args__ = (
        CheckConstraint("asked_by <> staff_id AND agreed_by <> staff_id AND agreed_by <> asked_by", name="two_others"),
        CheckConstraint("(agreed_by IS NULL) = (agreed_at IS NULL)", name="agreement_has_time"),
        Index("uq_staff_authenticator_reset_open", "staff_id", unique=True, postgresql_where=text("agreed_at IS NULL")),
    )

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"))
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"))
    asked_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    agreed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.id"))
    agreed_at: Mapped[datetime | None]


class StaffSession(UuidKey, Base):
    """One sign-in. The token itself is never stored, only its SHA-256. Times are true times: see `service`."""

    __tablename__ = "staff_session"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    address: Mapped[str | None] = mapped_column(Text)
