"""The table of measured durations. Nothing in it tells of a single case."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey


class ItemDuration(UuidKey, Base):
    """How long the cases of an item took, in one hall or (without `hall_id`) in all. Written anew every night."""

    __tablename__ = "item_duration"
    __table_args__ = (
        CheckConstraint("cases > 0", name="of_some_cases"),
        CheckConstraint(
            "(p50 IS NULL) = (p90 IS NULL) AND (p50 IS NULL OR p50 <= p90)", name="half_before_nine_in_ten"
        ),
    )

    item_id: Mapped[str] = mapped_column(Text, index=True)
    hall_id: Mapped[UUID | None] = mapped_column(ForeignKey("hall.id"))
    since: Mapped[date]
    cases: Mapped[int]
    p50: Mapped[int | None]
    p90: Mapped[int | None]
