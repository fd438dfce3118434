"""Reads of slots and of the numbers a hall books by.

What every booking and every look at the free slots asks is built once, with parameters: building a statement anew costs
several times what running it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from casework.slots.models import BookingPolicy, Slot, SlotDay
from casework.slots.rules import HallPolicy, Room
from core.errors import NotFound

SLOT_ID = Slot.id
"""For subqueries correlated to the slot being read."""


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One slot as it is now."""

    id: UUID
    hall_id: UUID
    zone_code: str
    day: date
    starts_at: datetime
    ends_at: datetime
    room: Room


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day of a hall's zone: its slots, or why it has none."""

    day: date
    cause: str | None
    note: str
    slots: tuple[SlotRow, ...]


_COLUMNS = (
    Slot.id,
    Slot.hall_id,
    Slot.zone_code,
    Slot.day,
    Slot.starts_at,
    Slot.ends_at,
    Slot.planned_minutes,
    Slot.used_minutes,
    Slot.reserved_minutes,
    Slot.entitled_minutes,
    Slot.reserved_until,
)


_POLICY = (
    select(BookingPolicy.overrides)
    .where(or_(BookingPolicy.hall_id == bindparam("hall_id"), BookingPolicy.hall_id.is_(None)))
    .order_by(BookingPolicy.hall_id.is_not(None))
)


def policy(session: Session, hall_id: UUID) -> HallPolicy:
    """The numbers of this hall: the defaults, then what all halls changed, then what this one did."""
    found = HallPolicy()
    for (overrides,) in session.connection().execute(_POLICY, {"hall_id": hall_id}):
        found = found.with_overrides(overrides)
    return found


class Reader:
    """Reads slots with the room they have left, for a feature that keeps bookings.

    `released`: minutes of holds that ran out, a subquery correlated to `SLOT_ID` with the parameter `now`.
    """

    def __init__(self, released: ScalarSelect[Any]) -> None:
        its_own = and_(
            Slot.hall_id == SlotDay.hall_id,
            Slot.zone_code == SlotDay.zone_code,
            Slot.day == SlotDay.day,
            Slot.day.between(bindparam("first"), bindparam("last")),
            Slot.planned_minutes > 0,
        )
        self._slot = select(*_COLUMNS, released).where(Slot.id == bindparam("slot_id"))
        self._days = (
            select(SlotDay.day, SlotDay.cause, SlotDay.note, *_COLUMNS, released)
            .outerjoin(Slot, its_own)
            .where(
                SlotDay.hall_id == bindparam("hall_id"),
                SlotDay.zone_code == bindparam("zone_code"),
                SlotDay.day.between(bindparam("first"), bindparam("last")),
            )
            .order_by(SlotDay.day, Slot.starts_at)
        )

    def slot(self, session: Session, slot_id: UUID, now: datetime) -> SlotRow:
        """One slot. Raises `NotFound`."""
        row = session.connection().execute(self._slot, {"slot_id": slot_id, "now": now}).one_or_none()
        if row is None:
            raise NotFound()
        return _slot(row)

    def days(
        self, session: Session, hall_id: UUID, zone_code: str, first: date, last: date, now: datetime
    ) -> list[DayRow]:
        """The days `first`..`last` that were made, with their open slots, in one query."""
        wanted = {"hall_id": hall_id, "zone_code": zone_code, "first": first, "last": last, "now": now}
        found: dict[date, tuple[Any, list[SlotRow]]] = {}
        for row in session.connection().execute(self._days, wanted):
            _, slots = found.setdefault(row[0], (row, []))
            if row[3] is not None:
                slots.append(_slot(row[3:]))
        return [DayRow(day, row[1], row[2], tuple(slots)) for day, (row, slots) in found.items()]


def withdrawn(session: Session, hall_id: UUID, day: date) -> tuple[list[UUID], dict[UUID, int]]:
    """Booked slots of a day that are closed, and those booked beyond what the windows can do, with the minutes beyond."""
    rows = session.execute(
        select(Slot.id, Slot.planned_minutes, Slot.physical_minutes, Slot.used_minutes)
        .where(Slot.hall_id == hall_id, Slot.day == day, Slot.used_minutes > Slot.physical_minutes)
        .order_by(Slot.id)
    ).all()
    closed = [row.id for row in rows if row.physical_minutes == 0]
    return closed, {row.id: row.used_minutes - row.physical_minutes for row in rows if row.physical_minutes}


def running_room(session: Session, hall_id: UUID, zone_code: str, now: datetime) -> int:
    """Minutes still free in the slot that runs now; 0 when none does (AP-17)."""
    free = session.scalar(
        select(func.sum(Slot.planned_minutes - Slot.used_minutes)).where(
            Slot.hall_id == hall_id, Slot.zone_code == zone_code, Slot.starts_at <= now, now < Slot.ends_at
        )
    )
    return max(0, free or 0)


def day_note(session: Session, hall_id: UUID, day: date) -> str:
    """Why that day of a hall is special (an exception's reason, a holiday's name); empty on an ordinary day."""
    query = select(SlotDay.note).where(SlotDay.hall_id == hall_id, SlotDay.day == day, SlotDay.note != "")
    return session.scalar(query.limit(1)) or ""


def _slot(row: Sequence[Any]) -> SlotRow:
    slot_id, hall_id, zone_code, day, starts_at, ends_at, planned, used, reserved, entitled, until, released = row
    return SlotRow(
        slot_id,
        hall_id,
        zone_code,
        day,
        starts_at,
        ends_at,
        Room(planned, used, reserved, entitled, until, released or 0),
    )
