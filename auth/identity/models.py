"""The table of evidence (ID-1).

A row keeps what was proven and when; only a phone's renewal, an end before its time and the use of a fresh proof change one.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity.rules import EvidenceType, Purpose, Result
from core.db import Base, UuidKey

_TYPES = ", ".join(f"'{kind}'" for kind in EvidenceType)
_RESULTS = ", ".join(f"'{result}'" for result in Result)
_PURPOSES = ", ".join(f"'{purpose}'" for purpose in Purpose)


class IdentityEvidence(UuidKey, Base):
    """One piece of evidence. `subject_hash` is the keyed hash of what was proven: the document, the phone, the openid.

    With `purpose` it is a fresh proof too: good for one act of that kind until `fresh_until`, once (`used_at`), in the
    session that made it, or in any of the person's when a clerk made it (3.7 level 4).
    """

    __tablename__ = "identity_evidence"
    __table_args__ = (
        CheckConstraint(f"type IN ({_TYPES})", name="type_known"),
        CheckConstraint(f"result IN ({_RESULTS})", name="result_known"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_reason IS NULL)", name="revoked_has_reason"),
        CheckConstraint("(result = 'REVIEW') = (look_again_at IS NOT NULL)", name="review_says_when"),
        CheckConstraint(f"purpose IN ({_PURPOSES})", name="purpose_known"),
        CheckConstraint("(purpose IS NULL) = (fresh_until IS NULL)", name="fresh_has_purpose"),
        CheckConstraint("purpose IS NULL OR result = 'PASS'", name="fresh_has_passed"),
        CheckConstraint("used_at IS NULL OR used_at < fresh_until", name="used_while_fresh"),
        Index("ix_identity_evidence_attempts", "at", postgresql_where=text("result <> 'PASS'")),
        Index("ix_identity_evidence_expires_at", "expires_at", postgresql_where=text("result = 'PASS'")),
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
    purpose: Mapped[str | None] = mapped_column(Text)
    fresh_until: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    session_id: Mapped[UUID | None]
