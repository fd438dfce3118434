"""Tables of the ledger."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey


class LedgerPosting(UuidKey, Base):
    """One movement of money; `source_id` is the order or refund it stems from."""

    __tablename__ = "ledger_posting"
    __table_args__ = (
        CheckConstraint("kind IN ('PAYMENT', 'REFUND')", name="kind_known"),
        UniqueConstraint("kind", "source_id"),
    )

    kind: Mapped[str] = mapped_column(Text)
    source_id: Mapped[UUID]
    at: Mapped[datetime]


class LedgerEntry(UuidKey, Base):
    """One side of a posting, in fen."""

    __tablename__ = "ledger_entry"
    __table_args__ = (CheckConstraint("amount_fen <> 0", name="amount_not_zero"),)

    posting_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_posting.id"), index=True)
    account: Mapped[str] = mapped_column(Text, index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
