"""The table of disowned sign-ins: what the security administrator looks into."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Encrypted, UuidKey


class SignInReport(UuidKey, Base):
    """Somebody said "这不是我" of a line of the sign-in history; what that line said is kept, as the history ends first."""

    __tablename__ = "sign_in_report"
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_by_somebody"),
        CheckConstraint("(closed_at IS NULL) = (finding IS NULL)", name="closed_with_finding"),
        Index("ix_sign_in_report_open", "id", postgresql_where=text("closed_at IS NULL")),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    login_event_id: Mapped[UUID] = mapped_column(unique=True)
    reported_at: Mapped[datetime]
    rebinding_frozen_until: Mapped[datetime]
    sessions_ended: Mapped[int]
    signed_in_at: Mapped[datetime]
    method: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    device: Mapped[str | None] = mapped_column(Text)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.id"))
    finding: Mapped[str | None] = mapped_column(Encrypted("sign_in_report.finding"))
