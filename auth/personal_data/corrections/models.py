"""The table of requests."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.personal_data.corrections.rules import Kind, State
from core.db import Base, Encrypted, UuidKey

_KINDS = ", ".join(f"'{kind}'" for kind in Kind)
_STATES = ", ".join(f"'{state}'" for state in State)
_UNANSWERED = text("state IN ('OPEN', 'TAKEN')")


class CorrectionRequest(UuidKey, Base):
    """Something a person wants corrected or explained. `matter_number`: the case it is about."""

    __tablename__ = "correction_request"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("(state = 'TAKEN') <= (taken_by IS NOT NULL)", name="taken_by_somebody"),
        CheckConstraint("(state IN ('DONE', 'REFUSED')) <= (answer IS NOT NULL)", name="answered_in_words"),
        Index(
            "uq_correction_request_unanswered",
            "subject_id",
            "kind",
            "matter_number",
            unique=True,
            postgresql_where=_UNANSWERED,
        ),
        Index("ix_correction_request_queue", "id", postgresql_where=_UNANSWERED),
        Index("ix_correction_request_subject_id", "subject_id", "id"),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    kind: Mapped[str] = mapped_column(Text)
    matter_number: Mapped[str] = mapped_column(Text, server_default="")
    wish: Mapped[str] = mapped_column(Encrypted("correction_request.wish"))
    state: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    taken_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.id"))
    answer: Mapped[str | None] = mapped_column(Encrypted("correction_request.answer"))
    closed_at: Mapped[datetime | None]
