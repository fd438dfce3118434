"""Tables of the hall queue."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.queue.rules import Lane, Priority, Result, State
from core.db import Base, UuidKey


def _values(enum: type[Any]) -> str:
    return ", ".join(f"'{value}'" for value in enum)


class HallQueue(Base):
    """What the queue of one zone and day remembers; its row is the lock of the queue."""

    __tablename__ = "hall_queue"

    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"), primary_key=True)
    zone_code: Mapped[str] = mapped_column(ForeignKey("zone.code"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    calls_made: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    booked_in_a_row: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    last_booked: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    last_other: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class Ticket(UuidKey, Base):
    """A number in the queue: of a booking, or of a walk-in who needs no account (AP-20).

    `queue_at` is its place in the lane. `missing` parties must arrive before it can be called (AP-12).
    """

    __tablename__ = "ticket"
    __table_args__ = (
        CheckConstraint(f"state IN ({_values(State)})", name="state_known"),
        CheckConstraint(f"lane IN ({_values(Lane)})", name="lane_known"),
        CheckConstraint(f"priority IN ({_values(Priority)})", name="priority_known"),
        CheckConstraint(f"result IN ({_values(Result)})", name="result_known"),
        CheckConstraint("missing >= 0 AND calls >= 0 AND passes >= 0", name="counts_not_negative"),
        CheckConstraint("(state = 'FINISHED') = (result IS NOT NULL)", name="finished_has_a_result"),
        CheckConstraint("(lane = 'PRIORITY') = (priority IS NOT NULL)", name="priority_has_a_reason"),
        UniqueConstraint("hall_id", "day", "number", name="uq_ticket_hall_id_day_number"),
        # A window has one person at a time.
        Index(
            "uq_ticket_at_window",
            "hall_id",
            "day",
            "window_code",
            unique=True,
            postgresql_where=text("state IN ('CALLED', 'SERVING')"),
        ),
        Index("ix_ticket_hall_id_zone_code_day", "hall_id", "zone_code", "day"),
        Index("ix_ticket_passed_at", "passed_at", postgresql_where=text("state = 'PASSED'")),
    )

    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"))
    zone_code: Mapped[str] = mapped_column(ForeignKey("zone.code"))
    day: Mapped[date] = mapped_column(Date)
    number: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    lane: Mapped[str] = mapped_column(Text)
    priority: Mapped[str | None] = mapped_column(Text)
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id", ondelete="SET NULL"), unique=True)
    item_id: Mapped[str | None] = mapped_column(Text)
    prereviewed: Mapped[bool]
    missing: Mapped[int] = mapped_column(Integer)
    queue_at: Mapped[datetime]
    returns_after: Mapped[int | None] = mapped_column(Integer)
    calls: Mapped[int] = mapped_column(Integer)
    passes: Mapped[int] = mapped_column(Integer)
    window_code: Mapped[str | None] = mapped_column(Text)
    window_name: Mapped[str | None] = mapped_column(Text)
    issued_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    passed_at: Mapped[datetime | None]
    served_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    result: Mapped[str | None] = mapped_column(Text)
    wasted_trip: Mapped[bool]


class TicketCall(UuidKey, Base):
    """One call of a number: by which window, by whom (append-only)."""

    __tablename__ = "ticket_call"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id"), index=True)
    at: Mapped[datetime]
    window_code: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[UUID]
