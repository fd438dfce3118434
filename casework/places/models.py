"""Tables of places. Keys of halls and windows come from their codes, so they are the same after every import."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from casework.places.rules import Level, WindowKind, WindowState
from core.db import Base, UuidKey


def _values(enum: type[Any]) -> str:
    return ", ".join(f"'{value}'" for value in enum)


class ServiceHall(Base):
    """A service hall (S1, S12)."""

    __tablename__ = "hall"
    __table_args__ = (CheckConstraint(f"level IN ({_values(Level)})", name="level_known"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    level: Mapped[str] = mapped_column(Text)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    address: Mapped[str] = mapped_column(Text)
    consult: Mapped[str] = mapped_column(Text)
    is_sample: Mapped[bool]
    position: Mapped[int]
    edit: Mapped[int] = mapped_column(server_default=text("1"))


class HallZone(Base):
    """A zone that this hall has, and where in the hall it is."""

    __tablename__ = "hall_zone"

    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"), primary_key=True)
    zone_code: Mapped[str] = mapped_column(ForeignKey("zone.code"), primary_key=True)
    area: Mapped[str] = mapped_column(Text)


class ServiceWindow(Base):
    """A window. A COMBINED one takes every item of its zone, a SPECIAL one those of `window_item`."""

    __tablename__ = "service_window"
    __table_args__ = (
        ForeignKeyConstraint(["hall_id", "zone_code"], ["hall_zone.hall_id", "hall_zone.zone_code"]),
        UniqueConstraint("hall_id", "code", name="uq_service_window_hall_id_code"),
        CheckConstraint(f"kind IN ({_values(WindowKind)})", name="kind_known"),
        CheckConstraint(f"state IN ({_values(WindowState)})", name="state_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hall_id: Mapped[UUID]
    zone_code: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    edit: Mapped[int] = mapped_column(server_default=text("1"))


class WindowItem(Base):
    """An item that a SPECIAL window takes."""

    __tablename__ = "window_item"

    window_id: Mapped[UUID] = mapped_column(ForeignKey("service_window.id"), primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"), primary_key=True)


class HallHours(Base):
    """One period of a weekday (1 = Monday … 7 = Sunday)."""

    __tablename__ = "hall_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday_known"),
        CheckConstraint("opens < closes", name="opens_before_it_closes"),
    )

    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    opens: Mapped[time] = mapped_column(primary_key=True)
    closes: Mapped[time]


class HallException(UuidKey, Base):
    """What holds for a hall on one day instead of the week (AP-4). `periods`: [["09:00", "12:00"], …]; none: closed."""

    __tablename__ = "hall_exception"
    __table_args__ = (
        UniqueConstraint("hall_id", "day", name="uq_hall_exception_hall_id_day"),
        Index("ix_hall_exception_day", "day"),
        CheckConstraint("reason <> ''", name="has_a_reason"),
    )

    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"))
    day: Mapped[date]
    periods: Mapped[list[Any]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text)
    reason_en: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime]


class PlaceImport(Base):
    """What an import said last time of a hall or a service point, by its key: what is otherwise now was edited here."""

    __tablename__ = "place_import"

    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    said: Mapped[dict[str, Any]]
