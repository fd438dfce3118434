"""The table of consents. Withdrawn ones stay as history."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.consent.rules import ConsentKind
from core.db import Base, UuidKey

_KINDS = ", ".join(f"'{kind}'" for kind in ConsentKind)


class Consent(UuidKey, Base):
    """One consent to one text; at most one of a kind stands. `given_by`: the person, or a guardian.

    `session_id`: it was given at a kiosk and holds for that session only.
    """

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint(
            "channel <> 'KIOSK' OR session_id IS NOT NULL OR withdrawn_at IS NOT NULL", name="kiosk_never_remembers"
        ),
        Index("uq_consent_standing", "subject_id", "kind", unique=True, postgresql_where=text("withdrawn_at IS NULL")),
        Index("ix_consent_session_id", "session_id", postgresql_where=text("withdrawn_at IS NULL")),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    given_by: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    kind: Mapped[str] = mapped_column(Text)
    text_version: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    session_id: Mapped[UUID | None]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
