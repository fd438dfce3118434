"""Reads of slots and of the numbers a hall books by.

What every booking and every look at the free slots asks is a `Statement`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, Session

from casework.slots.models import BookingPolicy, Slot, SlotDay, SlotPlan
from casework.slots.rules import HallPolicy, Room
from core.errors import NotFound
from core.statements import Statement

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


def _overrides(hall_id: ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> Select[Any]:
    """What was changed of the defaults: for all halls, then for this one."""
    own = aggregate_order_by(BookingPolicy.overrides, BookingPolicy.hall_id.is_not(None))
    return select(func.jsonb_agg(own, type_=JSONB)).where(
        or_(BookingPolicy.hall_id == hall_id, BookingPolicy.hall_id.is_(None))
    )


_POLICY = Statement(_overrides(bindparam("hall_id", type_=Slot.hall_id.type)))
_DEFAULTS = HallPolicy()


def policy(session: Session, hall_id: UUID) -> HallPolicy:
    """The numbers of this hall: the defaults, then what all halls changed, then what this one did."""
    ((overrides,),) = _POLICY.rows(session, hall_id=hall_id)
    return _policy(overrides)


def _policy(overrides: Sequence[Mapping[str, Any]] | None) -> HallPolicy:
    found = _DEFAULTS
    for changed in overrides or ():
        found = found.with_overrides(changed)
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """A slot that somebody asks for, the numbers of its hall, and whether a place of it is kept for them already (AP-10)."""

    slot: SlotRow
    policy: HallPolicy
    held: bool


class Reader:
    """Reads slots with the room they have left, for a feature that keeps bookings.

    Both are subqueries correlated to `SLOT_ID`. `released`: minutes of holds that ran out, with the parameter `now`;
    `held`: whether the person of the parameter `owner_id` holds a place there.
    """

    def __init__(self, *, released: ScalarSelect[Any], held: ColumnElement[bool]) -> None:
        its_own = and_(
            Slot.hall_id == SlotDay.hall_id,
            Slot.zone_code == SlotDay.zone_code,
            Slot.day == SlotDay.day,
            Slot.day.between(bindparam("first"), bindparam("last")),
            Slot.planned_minutes > 0,
        )
        overrides = _overrides(Slot.hall_id).correlate(Slot).scalar_subquery()
        self._slot = Statement(select(*_COLUMNS, released, overrides, held).where(Slot.id == bindparam("slot_id")))
        self._days = Statement(
            select(SlotDay.day, SlotDay.cause, SlotDay.note, *_COLUMNS, released)
            .outerjoin(Slot, its_own)
            .where(
                SlotDay.hall_id == bindparam("hall_id"),
                SlotDay.zone_code == bindparam("zone_code"),
                SlotDay.day.between(bindparam("first"), bindparam("last")),
            )
            .order_by(SlotDay.day, Slot.starts_at)
        )

    def slot(self, session: Session, slot_id: UUID, now: datetime, *, owner_id: UUID) -> Asked:
        """One slot, asked for by `owner_id`, in one query. Raises `NotFound`."""
        row = self._slot.row(session, slot_id=slot_id, now=now, owner_id=owner_id)
        if row is None:
            raise NotFound()
        *columns, overrides, held = row
        return Asked(_slot(columns), _policy(overrides), held)

    def days(
        self, session: Session, hall_id: UUID, zone_code: str, first: date, last: date, now: datetime
    ) -> list[DayRow]:
        """The days `first`..`last` that were made, with their open slots, in one query."""
        rows = self._days.rows(session, hall_id=hall_id, zone_code=zone_code, first=first, last=last, now=now)
        found: dict[date, tuple[Any, list[SlotRow]]] = {}
        for row in rows:
            _, slots = found.setdefault(row[0], (row, []))
            if row[3] is not None:
                slots.append(_slot(row[3:]))
        return [DayRow(day, row[1], row[2], tuple(slots)) for day, (row, slots) in found.items()]


def plans(session: Session, hall_id: UUID) -> list[dict[str, Any]]:
    """What the zones of a hall do on weekdays, where that was said (AP-1)."""
    query = select(SlotPlan).where(SlotPlan.hall_id == hall_id).order_by(SlotPlan.zone_code, SlotPlan.weekday)
    return [
        {name: getattr(plan, name) for name in ("zone_code", "weekday", "windows", "slot_minutes", "booking_percent")}
        | {
            "periods": None
            if plan.periods is None
            else [{"opens": opens, "closes": closes} for opens, closes in plan.periods]
        }
        for plan in session.scalars(query)
    ]


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
