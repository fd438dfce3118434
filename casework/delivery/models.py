"""Tables of delivery. Names, phones and addresses are encrypted; the carrier's reports are a set; history is append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casework.delivery.rules import ENDED, State
from core.db import Base, Encrypted, UuidKey

_STATES = ", ".join(f"'{state}'" for state in State)
_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED - {State.DELIVERED}))


class Shipment(UuidKey, Base):
    """A parcel from the issuing hall to the right-holder."""

    __tablename__ = "shipment"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("sealed_by IS NULL OR sealed_by <> packed_by", name="two_people"),
        CheckConstraint("(state = 'DELIVERED') <= (delivered_at IS NOT NULL)", name="delivered_has_time"),
        Index("uq_shipment_live", "case_id", unique=True, postgresql_where=text(f"state NOT IN ({_ENDED})")),
        Index("ix_shipment_hall_state", "hall_id", "state"),
        Index("ix_shipment_address_kept", "ended_at", postgresql_where=text("NOT address_forgotten")),
        Index(
            "ix_shipment_quiet", "last_report_at", postgresql_where=text("waybill IS NOT NULL AND delivered_at IS NULL")
        ),
    )

    number: Mapped[str] = mapped_column(Text, unique=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("service_case.id"))
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"))
    item_id: Mapped[str | None] = mapped_column(Text)
    matter_name: Mapped[str] = mapped_column(Text)
    sensitive: Mapped[bool]
    state: Mapped[str] = mapped_column(Text)
    receiver_name: Mapped[str] = mapped_column(Encrypted("shipment.receiver_name"))
    receiver_phone: Mapped[str] = mapped_column(Encrypted("shipment.receiver_phone"))
    region_code: Mapped[str] = mapped_column(Text)
    region: Mapped[str] = mapped_column(Text)
    address_street: Mapped[str] = mapped_column(Encrypted("shipment.address_street"))
    address_detail: Mapped[str] = mapped_column(Encrypted("shipment.address_detail"))
    requested_at: Mapped[datetime]
    pack_list: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    packed_by: Mapped[UUID | None]
    sealed_by: Mapped[UUID | None]
    carrier: Mapped[str | None] = mapped_column(Text)
    carrier_order_id: Mapped[str | None] = mapped_column(Text)
    carrier_task_id: Mapped[str | None] = mapped_column(Text)
    waybill: Mapped[str | None] = mapped_column(Text, index=True)
    callback_salt: Mapped[str] = mapped_column(Encrypted("shipment.callback_salt"))
    order_asked_at: Mapped[datetime | None]
    ordered_at: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]
    last_report_at: Mapped[datetime | None]
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_expires_at: Mapped[datetime | None]
    code_tries: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    codes_sent: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    identity_ok_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    address_forgotten: Mapped[bool] = mapped_column(server_default=text("false"))
    flags: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))

    history: Mapped[list[ShipmentHistory]] = relationship(order_by="ShipmentHistory.id", lazy="raise")


class ShipmentEvent(UuidKey, Base):
    """One report of the carrier, once, however often it is sent (CR-14)."""

    __tablename__ = "shipment_event"
    __table_args__ = (UniqueConstraint("shipment_id", "at", "code", "place_hash"),)

    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipment.id"))
    at: Mapped[datetime]
    code: Mapped[str] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text)
    place_hash: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(Text)


class ShipmentHistory(UuidKey, Base):
    """One move of a shipment."""

    __tablename__ = "shipment_history"

    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipment.id"), index=True)
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
