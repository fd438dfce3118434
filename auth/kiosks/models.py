"""The table of kiosks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey


class Kiosk(UuidKey, Base):
    """A machine in a hall, known by its public key (PEM, Ed25519); the private part never leaves it."""

    __tablename__ = "kiosk"

    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"))
    public_key: Mapped[str] = mapped_column(Text)
    active: Mapped[bool]
    registered_at: Mapped[datetime]
    registered_by: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"))
    last_seen_at: Mapped[datetime | None]
