"""Tables of bookable time. The counter in `slot` is what keeps a slot from being oversold (AP-9)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey


class BookingPolicy(UuidKey, Base):
    """Numbers of `rules.HallPolicy` that differ from the defaults: for all halls (`hall_id` null) or for one."""

    __tablename__ = "booking_policy"
    __table_args__ = (
        UniqueConstraint("hall_id", name="uq_booking_policy_hall_id", postgresql_nulls_not_distinct=True),
    )

    hall_id: Mapped[UUID | None] = mapped_column(ForeignKey("hall.id"))
    overrides: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_at: Mapped[datetime]


class SlotPlan(Base):
    """What a hall's zone does on a weekday (1 = Monday) other than the policy says (AP-1). Null: as the hall, as the policy."""

    __tablename__ = "slot_plan"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday_known"),
        CheckConstraint("windows >= 0", name="windows_not_negative"),
        CheckConstraint("slot_minutes BETWEEN 5 AND 240", name="slot_minutes_sane"),
        CheckConstraint("booking_percent BETWEEN 0 AND 100", name="booking_percent_is_a_share"),
    )

    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"), primary_key=True)
    zone_code: Mapped[str] = mapped_column(ForeignKey("zone.code"), primary_key=True)
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    periods: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    windows: Mapped[int | None] = mapped_column(Integer)
    slot_minutes: Mapped[int | None] = mapped_column(Integer)
    booking_percent: Mapped[int | None] = mapped_column(Integer)


class SlotDay(Base):
    """A day for which the slots of a hall's zone were made. `cause` and `note` say why it is closed or special (AP-4)."""

    __tablename__ = "slot_day"

    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"), primary_key=True)
    zone_code: Mapped[str] = mapped_column(ForeignKey("zone.code"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    cause: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default="")


class Slot(UuidKey, Base):
    """One span of bookable time.

    `planned_minutes` is what the plan gives and bookings are taken against; `capacity_minutes` is the greater of that and
    what was booked before a plan got smaller, so the CHECK always holds. `entitled_minutes` is the part of
    `used_minutes` taken by those the reserve is for (AP-6).
    """

    __tablename__ = "slot"
    __table_args__ = (
        ForeignKeyConstraint(
            ["hall_id", "zone_code", "day"],
            ["slot_day.hall_id", "slot_day.zone_code", "slot_day.day"],
            name="fk_slot_day",
        ),
        UniqueConstraint("hall_id", "zone_code", "starts_at", name="uq_slot_hall_id_zone_code_starts_at"),
        Index("ix_slot_hall_id_zone_code_day", "hall_id", "zone_code", "day"),
        CheckConstraint("used_minutes <= capacity_minutes", name="never_oversold"),
        CheckConstraint("used_minutes >= 0 AND entitled_minutes >= 0", name="counters_not_negative"),
        CheckConstraint("entitled_minutes <= used_minutes", name="entitled_within_used"),
        CheckConstraint("planned_minutes <= capacity_minutes", name="planned_within_capacity"),
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
    )

    hall_id: Mapped[UUID]
    zone_code: Mapped[str] = mapped_column(Text)
    day: Mapped[date] = mapped_column(Date)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    planned_minutes: Mapped[int] = mapped_column(Integer)
    capacity_minutes: Mapped[int] = mapped_column(Integer)
    physical_minutes: Mapped[int] = mapped_column(Integer)
    used_minutes: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    reserved_minutes: Mapped[int] = mapped_column(Integer)
    entitled_minutes: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    reserved_until: Mapped[datetime]
