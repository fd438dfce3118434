"""Tables of orders."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Encrypted, UuidKey
from payments.orders.rules import OrderState, Scene, Surplus


def _sql_list(values: type[OrderState] | type[Scene] | type[Surplus]) -> str:
    return ", ".join(f"'{value}'" for value in values)


class PayOrder(UuidKey, Base):
    """One attempt to pay a bill. Money that came on a closed order is `surplus` and goes back.

    `until` (when the link ends), `queried_at` and `platform_paid_at` are true time, the partner's clock; the rest is business time.
    """

    __tablename__ = "pay_order"
    __table_args__ = (
        UniqueConstraint("bill_id", "attempt"),
        CheckConstraint(f"state IN ({_sql_list(OrderState)})", name="state_known"),
        CheckConstraint(f"scene IN ({_sql_list(Scene)})", name="scene_known"),
        CheckConstraint("channel = 'ALIPAY'", name="channel_known"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint(f"surplus IN ({_sql_list(Surplus)})", name="surplus_known"),
        CheckConstraint("surplus IS NULL OR state IN ('CLOSED', 'FAILED')", name="surplus_pays_nothing"),
        CheckConstraint(
            "(state = 'SUCCEEDED' OR surplus IS NOT NULL) = (platform_paid_at IS NOT NULL)", name="received_when_paid"
        ),
        # PY-7: at most one success of a bill, one order in the payer's hands, one waiting to be.
        Index(
            "uq_pay_order_one_live",
            "bill_id",
            "state",
            unique=True,
            postgresql_where="state IN ('CREATED', 'PAYING', 'SUCCEEDED')",
        ),
    )

    bill_id: Mapped[UUID] = mapped_column(ForeignKey("fee_bill.id"))
    attempt: Mapped[int] = mapped_column(Integer)
    channel: Mapped[str] = mapped_column(Text)
    scene: Mapped[str] = mapped_column(Text)
    order_no: Mapped[str] = mapped_column(Text, unique=True)
    state: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    return_path: Mapped[str] = mapped_column(Text)
    buyer: Mapped[str | None] = mapped_column(Encrypted("pay_order.buyer"))
    created_at: Mapped[datetime]
    acted_by: Mapped[str | None] = mapped_column(Text)
    until: Mapped[datetime]
    queried_at: Mapped[datetime | None]
    trade_no: Mapped[str | None] = mapped_column(Text, unique=True)
    platform_paid_at: Mapped[datetime | None]
    surplus: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None]
