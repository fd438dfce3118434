"""Tables of bills."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, UuidKey
from payments.bills.rules import MONEY_RECEIVED, BillState


def _sql_list(states: frozenset[BillState] | type[BillState]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


class FeeBill(UuidKey, Base):
    """One bill: one payer, one payee, one matter (PY-3). `pay_code_lookup` is the keyed hash of the pay code in force."""

    __tablename__ = "fee_bill"
    __table_args__ = (
        CheckConstraint(f"state IN ({_sql_list(BillState)})", name="state_known"),
        CheckConstraint("total_fen >= 0", name="total_not_negative"),
        CheckConstraint(f"(paid_at IS NOT NULL) = (state IN ({_sql_list(MONEY_RECEIVED)}))", name="paid_when_received"),
        CheckConstraint("settled_at IS NULL OR paid_at IS NOT NULL", name="settled_after_paid"),
        CheckConstraint("(pay_code_lookup IS NULL) = (pay_code_until IS NULL)", name="pay_code_has_end"),
        Index("ix_fee_bill_payer_id_id", "payer_id", "id"),
        Index("ix_fee_bill_matter", "matter_type", "matter_id"),
        Index("ix_fee_bill_expiring", "expires_at", postgresql_where="state = 'ISSUED'"),
    )

    number: Mapped[str] = mapped_column(Text, unique=True)
    payer_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    payee: Mapped[str] = mapped_column(Text)
    matter_type: Mapped[str] = mapped_column(Text)
    matter_id: Mapped[UUID]
    item_id: Mapped[str | None] = mapped_column(Text)
    matter_name: Mapped[str] = mapped_column(Text)
    matter_sensitive: Mapped[bool]
    state: Mapped[str] = mapped_column(Text)
    total_fen: Mapped[int] = mapped_column(BigInteger)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(Text)
    pay_code_lookup: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    pay_code_until: Mapped[datetime | None]

    lines: Mapped[list[BillLine]] = relationship(order_by="BillLine.position", lazy="raise")


class BillLine(UuidKey, Base):
    """One fee on a bill (PY-2)."""

    __tablename__ = "bill_line"
    __table_args__ = (
        UniqueConstraint("bill_id", "position"),
        CheckConstraint("quantity > 0 AND unit_fen >= 0", name="quantity_and_price"),
        CheckConstraint("relief_fen BETWEEN 0 AND unit_fen * quantity", name="relief_within_price"),
        CheckConstraint("relief_fen = 0 OR relief_reason <> ''", name="relief_has_reason"),
        CheckConstraint("amount_fen = unit_fen * quantity - relief_fen", name="amount_adds_up"),
    )

    bill_id: Mapped[UUID] = mapped_column(ForeignKey("fee_bill.id"))
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text)
    standard: Mapped[str] = mapped_column(Text)
    unit_fen: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(BigInteger)
    relief_fen: Mapped[int] = mapped_column(BigInteger)
    relief_reason: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
