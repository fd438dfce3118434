"""The signals received, each once, and how far the source's list was read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity.signals.rules import SignalKind, SignalState
from core.db import Base, UuidKey

_KINDS = ", ".join(f"'{kind}'" for kind in SignalKind)
_STATES = ", ".join(f"'{state}'" for state in SignalState)


class IdentitySignal(UuidKey, Base):
    """One signal. Of the document only its keyed hash is kept: most signals are about people we don't know."""

    __tablename__ = "identity_signal"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("(state = 'UNKNOWN_HERE') = (subject_id IS NULL)", name="known_has_subject"),
        Index("ix_identity_signal_unknown", "received_at", postgresql_where=text("state = 'UNKNOWN_HERE'")),
    )

    signal_no: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    document_lookup: Mapped[bytes]
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"), index=True)
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(Text)


class IdentitySignalCursor(Base):
    """How far the list of one source was read."""

    __tablename__ = "identity_signal_cursor"

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    cursor: Mapped[str] = mapped_column(Text)
    read_at: Mapped[datetime]
