"""Tables of a case. Transitions are append-only; the database refuses to change or delete one (migration 0005)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casework.cases.rules import State
from core.db import Base, Encrypted, UuidKey

_STATES = ", ".join(f"'{state}'" for state in State)


class ServiceCase(UuidKey, Base):
    """办件. The right-holder (`owner_id`) and who acted (`acting_id`) are separate (DG-2); the applicant is kept as at receipt."""

    __tablename__ = "service_case"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint("(accepted_on IS NULL) = (due_on IS NULL)", name="accepted_has_due"),
        CheckConstraint(
            "state NOT IN ('DECIDED_REFUSE', 'NOT_ACCEPTED') OR refusal_reason <> ''", name="refusal_has_reason"
        ),
        Index("ix_service_case_hall_state", "accept_hall_id", "state"),
        Index("ix_service_case_open_due", "due_on", postgresql_where=text("state IN ('ACCEPTED', 'UNDER_REVIEW')")),
        Index("ix_service_case_decided", "decided_at", "id", postgresql_where=text("decided_at IS NOT NULL")),
        Index("ix_service_case_waiting_notice", "notice_due_on", postgresql_where=text("state = 'RECEIVED'")),
    )

    number: Mapped[str] = mapped_column(Text, unique=True)
    external_no: Mapped[str | None] = mapped_column(Text, unique=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    acting_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    item_id: Mapped[str] = mapped_column(Text)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"))
    item_name: Mapped[str] = mapped_column(Text)
    sensitive: Mapped[bool]
    department_id: Mapped[str] = mapped_column(Text, index=True)
    department_name: Mapped[str] = mapped_column(Text)
    applicant_name: Mapped[str] = mapped_column(Encrypted("service_case.applicant_name"))
    applicant_document_type: Mapped[str] = mapped_column(Text)
    applicant_document: Mapped[str] = mapped_column(Encrypted("service_case.applicant_document"))
    channel: Mapped[str] = mapped_column(Text)
    accept_hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"))
    issue_hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"))
    prereview_id: Mapped[UUID | None] = mapped_column(ForeignKey("prereview.id"), unique=True)
    answers: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]
    notice_due_on: Mapped[date]
    accepted_at: Mapped[datetime | None]
    accepted_on: Mapped[date | None]
    deemed: Mapped[bool] = mapped_column(server_default=text("false"))
    due_on: Mapped[date | None]
    due_status: Mapped[str | None] = mapped_column(Text)
    legal_due_on: Mapped[date | None]
    amber_on: Mapped[date | None]
    extension_workdays: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    decided_at: Mapped[datetime | None]
    refusal_reason: Mapped[str] = mapped_column(Text, server_default="")
    refusal_clause: Mapped[str] = mapped_column(Text, server_default="")
    result_name: Mapped[str] = mapped_column(Text, server_default="")
    result_number: Mapped[str] = mapped_column(Text, server_default="")
    concluded_at: Mapped[datetime | None]
    issue_due_on: Mapped[date | None]
    delivered_at: Mapped[datetime | None]
    needs_person: Mapped[str] = mapped_column(Text, server_default="")

    transitions: Mapped[list[CaseTransition]] = relationship(order_by="CaseTransition.id", lazy="raise")
    pauses: Mapped[list[CasePause]] = relationship(order_by="CasePause.started_on", lazy="raise")
    corrections: Mapped[list[CaseCorrection]] = relationship(order_by="CaseCorrection.id", lazy="raise")


class CaseTransition(UuidKey, Base):
    """One move of a case, or one change of its due date (C-1, K-9: then `from_state` = `to_state`)."""

    __tablename__ = "case_transition"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("service_case.id"), index=True)
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(Text)
    acted_by: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    department: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    public_note: Mapped[str] = mapped_column(Text)
    old_due_on: Mapped[date | None]
    new_due_on: Mapped[date | None]


class CasePause(UuidKey, Base):
    """特别程序: one row a pause. `kind` 1 extension (C-6), 2 other (A.7)."""

    __tablename__ = "case_pause"
    __table_args__ = (
        CheckConstraint("ended_on IS NULL OR ended_on >= started_on", name="ends_after_start"),
        Index("uq_case_pause_open", "case_id", unique=True, postgresql_where=text("ended_on IS NULL")),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("service_case.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    started_on: Mapped[date]
    ended_on: Mapped[date | None]
    started_by: Mapped[str] = mapped_column(Text)
    ended_by: Mapped[str | None] = mapped_column(Text)


class CaseCorrection(UuidKey, Base):
    """补正: the one-time notice with all defects (C-4). One open per case."""

    __tablename__ = "case_correction"
    __table_args__ = (
        Index(
            "uq_case_correction_open",
            "case_id",
            unique=True,
            postgresql_where=text("answered_at IS NULL AND NOT expired"),
        ),
        Index("ix_case_correction_due", "due_on", postgresql_where=text("answered_at IS NULL AND NOT expired")),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("service_case.id"), index=True)
    defects: Mapped[list[Any]]
    requested_at: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date]
    supervisor_reason: Mapped[str] = mapped_column(Text, server_default="")
    answered_at: Mapped[datetime | None]
    answer_file_ids: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    expired: Mapped[bool] = mapped_column(server_default=text("false"))
