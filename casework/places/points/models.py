"""Tables of service points. Keys come from codes, so they are the same after every import."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.places.points.rules import EAST, NORTH, SOUTH, WEST, Kind, Scope
from core.db import Base


class ServiceHours(Base):
    """Hours that any number of points share. `week`: {"1": [["08:30", "11:30"], …]}, 1 = Monday."""

    __tablename__ = "service_hours"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    week: Mapped[dict[str, Any]]
    rest_days: Mapped[bool]


class ServicePoint(Base):
    """A point on the map (S31): a hall's row follows its hall. `latitude`, `longitude`: GCJ-02; `east`, `north`: metres."""

    __tablename__ = "service_point"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(str(kind)) for kind in Kind)})", name="kind_known"),
        CheckConstraint("(kind = 'HALL') = (hall_id IS NOT NULL)", name="halls_are_halls"),
        CheckConstraint(
            f"latitude BETWEEN {SOUTH} AND {NORTH} AND longitude BETWEEN {WEST} AND {EAST}", name="is_near_the_city"
        ),
        Index("ix_service_point_place", text("point(east, north)"), postgresql_using="gist"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    hall_id: Mapped[UUID | None] = mapped_column(ForeignKey("hall.id"), unique=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    address: Mapped[str] = mapped_column(Text)
    consult: Mapped[str] = mapped_column(Text)
    accessible: Mapped[bool | None]
    latitude: Mapped[float]
    longitude: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    hours_id: Mapped[UUID] = mapped_column(ForeignKey("service_hours.id"))
    zone_codes: Mapped[list[Any]]
    item_ids: Mapped[list[Any]]
    withdrawn: Mapped[bool]
    is_sample: Mapped[bool]


class PointException(Base):
    """What holds for a point on one day instead of the week (AP-4). `periods`: none: closed."""

    __tablename__ = "point_exception"
    __table_args__ = (CheckConstraint("reason <> ''", name="has_a_reason"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    point_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"), primary_key=True)
    periods: Mapped[list[Any]]
    reason: Mapped[str] = mapped_column(Text)
    reason_en: Mapped[str] = mapped_column(Text)


class ItemScope(Base):
    """Where an item is handled, when it isn't as its district says (S12, S13)."""

    __tablename__ = "item_scope"
    __table_args__ = (
        CheckConstraint(f"scope IN ({', '.join(repr(str(scope)) for scope in Scope)})", name="scope_known"),
    )

    item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"), primary_key=True)
    scope: Mapped[str] = mapped_column(Text)
    reserved_to_city: Mapped[bool]
