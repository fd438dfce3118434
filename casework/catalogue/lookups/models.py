"""Tables of the reference lists. `position` is the order of the source."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Zone(Base):
    """A functional area of a hall (S2)."""

    __tablename__ = "zone"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class Department(Base):
    """A department, with the name of 2017 and the one of today (S30)."""

    __tablename__ = "department"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_2017: Mapped[str] = mapped_column(Text)
    confidence: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class Region(Base):
    """A district or county; `code` as in GB/T 2260."""

    __tablename__ = "region"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class DevZone(Base):
    """A development zone. The list is inferred and must be confirmed by the city (DOMAIN 4.3); `name_now` may tell a merger."""

    __tablename__ = "dev_zone"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name_2017: Mapped[str] = mapped_column(Text)
    name_now: Mapped[str] = mapped_column(Text)
    confidence: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class JointTopic(Base):
    """An industry with a joint approval (S8); days before and after the reform where the source gives them."""

    __tablename__ = "joint_topic"
    __table_args__ = (CheckConstraint("after_days <= before_days", name="reform_shortens"),)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    lead_department_id: Mapped[str] = mapped_column(ForeignKey("department.id"))
    participants: Mapped[list[str]] = mapped_column(ARRAY(Text))
    before_days: Mapped[int | None]
    after_days: Mapped[int | None]
    position: Mapped[int]


class LifeEventPackage(Base):
    """Several items done as one thing (一件事)."""

    __tablename__ = "life_event_package"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class AppTile(Base):
    """A tile that opens another system, signed in (S38)."""

    __tablename__ = "app_tile"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    group_name: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    department_id: Mapped[str] = mapped_column(ForeignKey("department.id"))
    link_mode: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class LicenceType(Base):
    """A kind of licence or data that may replace a paper (LR-1)."""

    __tablename__ = "licence_type"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
