"""Claims to a document that another person has proven under another name."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity.conflicts.rules import ConflictState
from core.db import Base, Encrypted, UuidKey

_STATES = ", ".join(f"'{state}'" for state in ConflictState)
_OPEN = text("state = 'OPEN'")


class IdentityConflict(UuidKey, Base):
    """One claim. Name and number of the claim are erased when it is decided; the decision and its reason stay."""

    __tablename__ = "identity_conflict"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("(state = 'OPEN') = (decided_at IS NULL)", name="decided_has_time"),
        CheckConstraint("(state = 'OPEN') = (name IS NOT NULL)", name="erased_when_decided"),
        CheckConstraint("(name IS NULL) = (document_number IS NULL)", name="erased_together"),
        CheckConstraint("claimant_id <> holder_id", name="two_subjects"),
        Index("uq_identity_conflict_open", "claimant_id", "document_lookup", unique=True, postgresql_where=_OPEN),
        Index("ix_identity_conflict_open", "opened_at", postgresql_where=_OPEN),
        Index("ix_identity_conflict_holder_id", "holder_id"),
    )

    claimant_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    document_type: Mapped[str] = mapped_column(Text)
    document_lookup: Mapped[bytes]
    document_number: Mapped[str | None] = mapped_column(Encrypted("identity_conflict.document_number"))
    name: Mapped[str | None] = mapped_column(Encrypted("identity_conflict.name"))
    opened_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(Text, server_default="")
