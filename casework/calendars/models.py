"""The table of proposals. What is published is `core.calendar`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from casework.calendars.rules import State
from core.db import Base, UuidKey


class CalendarProposal(UuidKey, Base):
    """Days that somebody wants otherwise, and who decided. `version`: what it was published as.

    `days`: [{"day", "was_workday", "was_name", "is_workday", "name"}, …] in their order, `was_…` null where nothing was
    published. It holds as long as the days are still what they were.
    """

    __tablename__ = "calendar_proposal"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(str(state)) for state in State)})", name="state_known"),
        CheckConstraint("(state = 'OPEN') = (decided_by IS NULL)", name="decided_by_somebody"),
        CheckConstraint("decided_by <> proposed_by", name="by_two_people"),
        CheckConstraint("source <> ''", name="has_a_source"),
        CheckConstraint("version IS NULL OR state = 'APPROVED'", name="published_when_approved"),
    )

    days: Mapped[list[Any]]
    source: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None]
    version: Mapped[int | None] = mapped_column(ForeignKey("calendar_version.number"))
