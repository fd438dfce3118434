"""The table of confirmed acts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from auth.staff.confirmations.rules import Act, Factor
from core.db import Base, UuidKey

_ACTS = ", ".join(f"'{act}'" for act in sorted(Act))
_FACTORS = ", ".join(f"'{factor}'" for factor in sorted(Factor))


class StaffConfirmation(UuidKey, Base):
    """A member showed password or code again for one kind of act, in one session. Times are true times."""

    __tablename__ = "staff_confirmation"
    __table_args__ = (
        CheckConstraint(f"act IN ({_ACTS})", name="act_known"),
        CheckConstraint(f"factor IN ({_FACTORS})", name="factor_known"),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("staff_session.id"), index=True)
    act: Mapped[str] = mapped_column(Text)
    factor: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
