"""The table of closings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.personal_data.closing.rules import State
from core.db import Base, UuidKey

_STATES = ", ".join(f"'{state}'" for state in State)
_COOLING = text("state = 'COOLING'")


class AccountClosing(UuidKey, Base):
    """A person asked for the account to be closed; `effective_at` is when it will be."""

    __tablename__ = "account_closing"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("(state = 'COOLING') = (ended_at IS NULL)", name="ends_once"),
        Index("uq_account_closing_cooling", "subject_id", unique=True, postgresql_where=_COOLING),
        Index("ix_account_closing_due", "effective_at", postgresql_where=_COOLING),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    state: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
