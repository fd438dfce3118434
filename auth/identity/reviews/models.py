"""What waits for a source's own people, and what is needed to ask again; erased when it is over (2.8)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity.reviews.rules import ReviewState
from core.db import Base, Encrypted, UuidKey

_STATES = ", ".join(f"'{state}'" for state in ReviewState)


class IdentityReview(UuidKey, Base):
    """One review. `reference` is what the source knows it by; `session_id` where the person asked."""

    __tablename__ = "identity_review"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("(state = 'WAITING') = (finished_at IS NULL)", name="finished_has_time"),
        CheckConstraint("(state = 'WAITING') = (name IS NOT NULL)", name="erased_when_finished"),
        CheckConstraint("(name IS NULL) = (document_number IS NULL)", name="erased_together"),
        Index("ix_identity_review_waiting", "due_at", postgresql_where=text("state = 'WAITING'")),
        Index("ix_identity_review_finished_at", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    session_id: Mapped[UUID]
    evidence_id: Mapped[UUID] = mapped_column(ForeignKey("identity_evidence.id"), unique=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Encrypted("identity_review.name"))
    document_type: Mapped[str] = mapped_column(Text)
    document_number: Mapped[str | None] = mapped_column(Encrypted("identity_review.document_number"))
    reference: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(Integer)
    finished_at: Mapped[datetime | None]
