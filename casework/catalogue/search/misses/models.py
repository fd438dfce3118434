"""The log of searches without a result."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class SearchMiss(Base):
    """A text that found nothing, on a day, and how often."""

    __tablename__ = "search_miss"
    __table_args__ = (CheckConstraint("times > 0", name="happened"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text, primary_key=True)
    times: Mapped[int]
