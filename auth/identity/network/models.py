"""Checks under way at the network identity service; who was asked about is erased when one is over (2.8)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity.network.rules import CheckState, Grade
from auth.identity.rules import Purpose
from core.db import Base, Encrypted, UuidKey

_STATES = ", ".join(f"'{state}'" for state in CheckState)
_GRADES = ", ".join(f"'{grade}'" for grade in Grade)
_PURPOSES = ", ".join(f"'{purpose}'" for purpose in Purpose)


class NetworkCheck(UuidKey, Base):
    """One check. `challenge` is the service's name for it."""

    __tablename__ = "network_identity_check"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint(f"grade IN ({_GRADES})", name="grade_known"),
        CheckConstraint(f"purpose IN ({_PURPOSES})", name="purpose_known"),
        CheckConstraint("purpose IS NULL OR grade = 'PIN'", name="purpose_needs_pin"),
        CheckConstraint("(state = 'STARTED') = (challenge IS NULL)", name="open_has_challenge"),
        CheckConstraint("(state = 'DONE') = (name IS NULL)", name="erased_when_done"),
        CheckConstraint("(name IS NULL) = (document_number IS NULL)", name="erased_together"),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    session_id: Mapped[UUID]
    name: Mapped[str | None] = mapped_column(Encrypted("network_identity_check.name"))
    document_type: Mapped[str] = mapped_column(Text)
    document_number: Mapped[str | None] = mapped_column(Encrypted("network_identity_check.document_number"))
    grade: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str | None] = mapped_column(Text)
    challenge: Mapped[str | None] = mapped_column(Text, unique=True)
    state: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
