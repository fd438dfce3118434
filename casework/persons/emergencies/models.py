"""The table of emergency look-ups."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Encrypted, UuidKey


class EmergencyLookUp(UuidKey, Base):
    """Who looked whom up without a matter, why, and what the review found. `subject_id`: as then, None if nobody was found.

    `told_at`: since when the person knows of it.
    """

    __tablename__ = "emergency_look_up"
    __table_args__ = (
        CheckConstraint("reviewed_by <> staff_id", name="reviewed_by_another"),
        CheckConstraint(
            "(reviewed_by IS NULL) = (reviewed_at IS NULL) AND (reviewed_by IS NULL) = (justified IS NULL)",
            name="review_whole",
        ),
        Index("ix_emergency_look_up_verdict", "justified", "id"),
    )

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"))
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(Encrypted("emergency_look_up.reason"))
    at: Mapped[datetime]
    due_at: Mapped[datetime]
    reviewed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.id"))
    reviewed_at: Mapped[datetime | None]
    justified: Mapped[bool | None] = mapped_column(Boolean)
    finding: Mapped[str | None] = mapped_column(Encrypted("emergency_look_up.finding"))
    told_at: Mapped[datetime | None]
