"""Tables of refunds."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey
from payments.refunds.rules import RefundState

_STATES = ", ".join(f"'{state}'" for state in RefundState)


class Refund(UuidKey, Base):
    """Money going back on one order; `number` is also the request's number at the platform.

    A trigger keeps the sum of an order's refunds within what was paid on it (PY-11). `approval_due`: by when the finance
    bureau answers, for treasury money.
    """

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("reason <> ''", name="reason_given"),
        CheckConstraint("state <> 'REFUND_REJECTED' OR reject_reason <> ''", name="rejection_has_reason"),
        CheckConstraint("(state = 'REFUNDED') = (refunded_at IS NOT NULL)", name="refunded_has_time"),
        Index("ix_refund_sent", "sent_at", postgresql_where="state = 'REFUND_SENT'"),
    )

    number: Mapped[str] = mapped_column(Text, unique=True)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("fee_bill.id"), index=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("pay_order.id"), index=True)
    state: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    needs_approval: Mapped[bool]
    approval_due: Mapped[date | None] = mapped_column(Date)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(Text)
    reject_reason: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    failure_code: Mapped[str | None] = mapped_column(Text)
