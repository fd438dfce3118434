"""The table of evidence (ID-1). A row keeps what was proven and when; only a phone's renewal changes one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity.rules import EvidenceType, Result
from core.db import Base, UuidKey

_TYPES = ", ".join(f"'{kind}'" for kind in EvidenceType)
_RESULTS = ", ".join(f"'{result}'" for result in Result)


class IdentityEvidence(UuidKey, Base):
    """One piece of evidence. `subject_hash` is the keyed hash of what was proven: the document, the phone, the openid."""

    __tablename__ = "identity_evidence"
    __table_args__ = (
        CheckConstraint(f"type IN ({_TYPES})", name="type_known"),
        CheckConstraint(f"result IN ({_RESULTS})", name="result_known"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_reason IS NULL)", name="revoked_has_reason"),
        CheckConstraint("(result = 'REVIEW') = (look_again_at IS NOT NULL)", name="review_says_when"),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    type: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(Text)
    subject_hash: Mapped[bytes]
    result: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    look_again_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text)
