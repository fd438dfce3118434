"""Tables of appointments. A hold is an appointment in HELD; one that runs out is deleted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casework.appointments.rules import LIVE, Closing, Comes, State
from core.db import Base, Encrypted, UuidKey


def _values(values: Any) -> str:
    return ", ".join(f"'{value}'" for value in sorted(values))


_LIVE = f"state IN ({_values(LIVE)})"


class Appointment(UuidKey, Base):
    """预约. The right-holder (`owner_id`) and who booked and comes (`acting_id`) are separate (AP-11, DG-2).

    `minutes` is what it takes of its slot; hall, zone and times are the slot's, kept here so that reads need no join.
    `entitled`: it was allowed to use the reserve (AP-6). `replaced_by_id`: where it was moved to (AP-13, AP-15).
    """

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint(f"state IN ({_values(State)})", name="state_known"),
        CheckConstraint(f"comes IN ({_values(Comes)})", name="comes_known"),
        CheckConstraint(f"closing IN ({_values(Closing)})", name="closing_known"),
        CheckConstraint("(state = 'HELD') = (hold_until IS NOT NULL)", name="only_holds_run_out"),
        CheckConstraint("(state = 'HELD') = (booked_at IS NULL)", name="booked_has_a_time"),
        CheckConstraint("minutes > 0", name="takes_time"),
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
        # AP-8: one live booking per item; AP-10: one hold per person.
        Index("uq_appointment_live_item", "owner_id", "item_id", unique=True, postgresql_where=text(_LIVE)),
        Index("uq_appointment_hold", "owner_id", unique=True, postgresql_where=text("state = 'HELD'")),
        Index("ix_appointment_phone_lookup", "phone_lookup", postgresql_where=text(_LIVE)),
        Index("ix_appointment_slot_id_live", "slot_id", postgresql_where=text(_LIVE)),
        Index("ix_appointment_hold_until", "hold_until", postgresql_where=text("state = 'HELD'")),
        Index("ix_appointment_booked_starts_at", "starts_at", postgresql_where=text("state = 'BOOKED'")),
        Index("ix_appointment_hall_id_day", "hall_id", "day"),
        Index("ix_appointment_owner_id", "owner_id"),
        Index("ix_appointment_starts_at", "starts_at"),
        Index("ix_appointment_acting_id", "acting_id"),
    )

    number: Mapped[str] = mapped_column(Text, unique=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    acting_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    acted_by: Mapped[str | None] = mapped_column(Text)
    comes: Mapped[str] = mapped_column(Text)
    item_id: Mapped[str] = mapped_column(Text)
    item_name: Mapped[str] = mapped_column(Text)
    sensitive: Mapped[bool]
    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"))
    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"))
    hall_name: Mapped[str] = mapped_column(Text)
    zone_code: Mapped[str] = mapped_column(Text)
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("slot.id"))
    day: Mapped[date] = mapped_column(Date)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    minutes: Mapped[int] = mapped_column(Integer)
    entitled: Mapped[bool]
    prereview_id: Mapped[UUID | None] = mapped_column(ForeignKey("prereview.id"))
    answers: Mapped[dict[str, Any]]
    papers: Mapped[list[Any]]
    needs: Mapped[list[Any]]
    language: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    phone_lookup: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text)
    hold_until: Mapped[datetime | None]
    changes: Mapped[int] = mapped_column(Integer)
    replaced_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    booked_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closing: Mapped[str | None] = mapped_column(Text)
    close_note: Mapped[str] = mapped_column(Text, server_default="")
    result: Mapped[str | None] = mapped_column(Text)
    evening_reminded_at: Mapped[datetime | None]
    soon_reminded_at: Mapped[datetime | None]

    parties: Mapped[list[AppointmentParty]] = relationship(order_by="AppointmentParty.id", lazy="raise")


class AppointmentParty(UuidKey, Base):
    """Somebody else who must be there (AP-12): the other spouse, the buyer. Service starts when all have arrived."""

    __tablename__ = "appointment_party"
    __table_args__ = (
        Index("ix_appointment_party_appointment_id", "appointment_id"),
        Index("ix_appointment_party_document_lookup", "document_lookup"),
        Index("ix_appointment_party_subject_id", "subject_id"),
    )

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"))
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"))
    name: Mapped[str] = mapped_column(Encrypted("appointment_party.name"))
    document_type: Mapped[str | None] = mapped_column(Text)
    document: Mapped[str | None] = mapped_column(Encrypted("appointment_party.document"))
    document_lookup: Mapped[bytes | None] = mapped_column(LargeBinary)
    arrived_at: Mapped[datetime | None]
