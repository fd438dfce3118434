"""The table of exports."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.personal_data.exports.rules import State
from core.db import Base, Encrypted, UuidKey

_STATES = ", ".join(f"'{state}'" for state in State)


class DataExport(UuidKey, Base):
    """One copy of a person's data. `content`: the zip in base64, encrypted, while the export is READY."""

    __tablename__ = "data_export"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("(state = 'READY') = (content IS NOT NULL)", name="content_while_ready"),
        Index("uq_data_export_queued", "subject_id", unique=True, postgresql_where=text("state = 'QUEUED'")),
        Index("ix_data_export_ends", "expires_at", postgresql_where=text("state <> 'FORGOTTEN'")),
        Index("ix_data_export_subject_id", "subject_id", "id"),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    state: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    size: Mapped[int | None]
    downloads: Mapped[int]
    content: Mapped[str | None] = mapped_column(Encrypted("data_export.content"), deferred=True)
