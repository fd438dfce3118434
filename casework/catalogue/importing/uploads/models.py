"""Tables: a file that was sent, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UuidKey


class ImportState(StrEnum):
    """QUEUED and RUNNING are open; FAULTY: nothing was drafted, the faults are there; FAILED: it broke off, nothing was drafted."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAULTY = "FAULTY"
    FAILED = "FAILED"


class CatalogueImport(UuidKey, Base):
    """A file that was sent. `content` is kept until it has been worked on; `faults` are the first, `fault_count` says of how many."""

    __tablename__ = "catalogue_import"
    __table_args__ = (
        CheckConstraint("state IN ('QUEUED', 'RUNNING', 'DONE', 'FAULTY', 'FAILED')", name="state_known"),
        CheckConstraint("(content IS NOT NULL) = (state IN ('QUEUED', 'RUNNING'))", name="content_while_open"),
    )

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"), index=True)
    session_id: Mapped[UUID]
    department_id: Mapped[str] = mapped_column(ForeignKey("department.id"), index=True)
    filename: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes | None]
    state: Mapped[str] = mapped_column(Text)
    step: Mapped[str] = mapped_column(Text)
    done: Mapped[int]
    total: Mapped[int]
    items: Mapped[int]
    changed: Mapped[int]
    fault_count: Mapped[int]
    faults: Mapped[list[Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
