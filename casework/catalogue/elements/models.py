"""Rows of the elements that may repeat. Like every part of a version they are fixed once it leaves the draft (migration 0016)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from core.workdays import Unit


class _Part:
    """A numbered row of a version."""

    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class ItemSubItem(_Part, Base):
    """业务办理项."""

    __tablename__ = "item_sub_item"

    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)


class ItemStep(_Part, Base):
    """A step of the 办理流程."""

    __tablename__ = "item_step"
    __table_args__ = (CheckConstraint("days >= 0", name="days_not_negative"),)

    name: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    days: Mapped[int | None]
    standard: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text)


class ItemSpecialProcedure(_Part, Base):
    """特别程序; `law` is its legal basis, `counted` whether it counts in the legal limit."""

    __tablename__ = "item_special_procedure"
    __table_args__ = (
        CheckConstraint("days >= 0", name="days_not_negative"),
        CheckConstraint(f"unit IN ({', '.join(repr(str(unit)) for unit in Unit)})", name="unit_known"),
    )

    name: Mapped[str] = mapped_column(Text)
    days: Mapped[int | None]
    unit: Mapped[str] = mapped_column(Text)
    law: Mapped[str] = mapped_column(Text)
    is_fee: Mapped[bool]
    counted: Mapped[bool]


class ItemResultSample(_Part, Base):
    """结果样本."""

    __tablename__ = "item_result_sample"

    name: Mapped[str] = mapped_column(Text)
    file: Mapped[str] = mapped_column(Text)


class ItemCommonQuestion(_Part, Base):
    """常见问题."""

    __tablename__ = "item_common_question"

    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
