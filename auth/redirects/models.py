"""The table of trips; rows are deleted a day after they end."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from auth.redirects.rules import TripKind
from core.db import Base, Encrypted, UuidKey

_KINDS = ", ".join(f"'{kind}'" for kind in TripKind)


class RedirectTrip(UuidKey, Base):
    """One browser away at a partner's page. Of state and holder only hashes; `details` is JSON the feature left behind."""

    __tablename__ = "redirect_trip"
    __table_args__ = (CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),)

    kind: Mapped[str] = mapped_column(Text)
    state_hash: Mapped[bytes] = mapped_column(unique=True)
    holder_hash: Mapped[bytes]
    channel: Mapped[str] = mapped_column(Text)
    return_to: Mapped[str] = mapped_column(Text)
    details: Mapped[str] = mapped_column(Encrypted("redirect_trip.details"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
