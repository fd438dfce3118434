"""Tables of the pre-review. History and verdicts are append-only: triggers of migration 0004 refuse changes."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casework.prereview.rules import Provision, Reason, State, Verdict
from core.db import Base, Encrypted, UuidKey


def _one_of(column: str, enum: type[StrEnum], name: str) -> CheckConstraint:
    values = ", ".join(f"'{value}'" for value in enum)
    return CheckConstraint(f"{column} IN ({values})", name=name)


class FindingKind(StrEnum):
    """What supervision counts (S23): PR-8, PR-5, PR-12."""

    LATE_FIRST_ANSWER = "LATE_FIRST_ANSWER"
    SECOND_DEFECT = "SECOND_DEFECT"
    REFUSED_AT_COUNTER = "REFUSED_AT_COUNTER"


class PreReview(UuidKey, Base):
    """One pre-review. The right-holder (`owner_id`) and who acts (`acting_id`) are separate (DG-2).

    `round` counts submissions. `version` rises with every change and is what a clerk's claim is compared with (PR-3).
    `answer_due_at` is when the clerk's answer to this round is due; `expires_at` ends NEEDS_CHANGE and PASSED (PR-9);
    the `…_provisional` flags say that a calendar behind the date isn't published yet (K-10).
    """

    __tablename__ = "prereview"
    __table_args__ = (
        _one_of("state", State, "state_known"),
        CheckConstraint("(state = 'IN_REVIEW') = (claimed_by IS NOT NULL)", name="claimed_while_in_review"),
        CheckConstraint("(claimed_by IS NULL) = (claimed_until IS NULL)", name="claim_ends"),
        CheckConstraint("(state IN ('DRAFT', 'DISCARDED')) = (round = 0)", name="rounds_count_submissions"),
        CheckConstraint("round = 0 OR (submitted_at IS NOT NULL AND answer_due_at IS NOT NULL)", name="answer_is_due"),
        CheckConstraint("state NOT IN ('NEEDS_CHANGE', 'PASSED') OR expires_at IS NOT NULL", name="answers_expire"),
        CheckConstraint("state <> 'REJECTED' OR right_body <> ''", name="rejection_names_body"),
        Index("ix_prereview_draft_item_id", "item_id", "id", postgresql_where=text("state = 'DRAFT'")),
        Index("ix_prereview_queue", "hall_id", "state", "submitted_at", "id"),
        Index(
            "ix_prereview_claimed_until", "claimed_until", postgresql_where=text("state = 'IN_REVIEW'")
        ),
        Index(
            "ix_prereview_expires_at", "expires_at", postgresql_where=text("state IN ('NEEDS_CHANGE', 'PASSED')")
        ),
        Index(
            "ix_prereview_answer_due_at", "answer_due_at", postgresql_where=text("state IN ('SUBMITTED', 'IN_REVIEW')")
        ),
    )  # fmt: skip

    number: Mapped[str] = mapped_column(Text, unique=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), index=True)
    acted_by: Mapped[str | None] = mapped_column(Text)
    acting_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    item_id: Mapped[str] = mapped_column(ForeignKey("item.item_id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"))
    item_name: Mapped[str] = mapped_column(Text)
    zone_code: Mapped[str] = mapped_column(Text)
    hall_id: Mapped[UUID] = mapped_column(ForeignKey("hall.id"))
    answers: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(Text)
    round: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int] = mapped_column(Integer)
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.id"))
    claimed_until: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    answer_due_at: Mapped[datetime | None]
    answer_due_provisional: Mapped[bool]
    answered_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    expires_provisional: Mapped[bool]
    right_body: Mapped[str] = mapped_column(Text)
    right_item_id: Mapped[str | None] = mapped_column(ForeignKey("item.item_id"))
    reject_reason: Mapped[str | None] = mapped_column(Encrypted("prereview.reject_reason"))
    used_at: Mapped[datetime | None]
    used_case_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    materials: Mapped[list[PreReviewMaterial]] = relationship(
        order_by="PreReviewMaterial.no", lazy="raise", cascade="all, delete-orphan"
    )
    history: Mapped[list[PreReviewEvent]] = relationship(order_by="PreReviewEvent.id", lazy="raise", viewonly=True)
    notes: Mapped[list[PreReviewNote]] = relationship(order_by="PreReviewNote.id", lazy="raise", viewonly=True)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # SQLAlchemy's own attribute

    @property
    def listed(self) -> list[PreReviewMaterial]:
        """The materials of the present situation, in order."""
        return [material for material in self.materials if not material.dropped]


class PreReviewMaterial(UuidKey, Base):
    """One material of the frozen list, how the citizen provides it, and the verdict on it (PR-4).

    `changed_round`: the last round for which the citizen changed it; `verdict_round`: the round of the verdict.
    `dropped`: another situation was chosen and it is no longer asked for. `file_version` counts uploads (PR-13).
    """

    __tablename__ = "prereview_material"
    __table_args__ = (
        # Deferred: a new item version may swap the numbers of two materials.
        UniqueConstraint("prereview_id", "no", deferrable=True, initially="DEFERRED"),
        _one_of("provision", Provision, "provision_known"),
        _one_of("verdict", Verdict, "verdict_known"),
        _one_of("reason_code", Reason, "reason_known"),
        CheckConstraint("(verdict = 'DEFECTIVE') IS TRUE = (reason_code IS NOT NULL)", name="defect_has_reason"),
        CheckConstraint("verdict <> 'WAIVED' OR waivable", name="waived_only_if_waivable"),
        CheckConstraint("verdict <> 'TOLERATED' OR tolerable", name="tolerated_only_if_tolerable"),
        CheckConstraint("provision <> 'LICENCE' OR waivable", name="licence_only_if_waivable"),
    )

    prereview_id: Mapped[UUID] = mapped_column(ForeignKey("prereview.id", ondelete="CASCADE"))
    no: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str] = mapped_column(Text)
    needed: Mapped[bool]
    waivable: Mapped[bool]
    tolerable: Mapped[bool]
    licence_key: Mapped[str] = mapped_column(Text)
    licence_name: Mapped[str] = mapped_column(Text)
    original_required: Mapped[bool]
    alternative_group: Mapped[str] = mapped_column(Text, server_default="")
    provision: Mapped[str | None] = mapped_column(Text)
    file_version: Mapped[int] = mapped_column(SmallInteger)
    changed_round: Mapped[int] = mapped_column(SmallInteger)
    dropped: Mapped[bool]
    verdict: Mapped[str | None] = mapped_column(Text)
    reason_code: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str | None] = mapped_column(Encrypted("prereview_material.comment"))
    verdict_round: Mapped[int | None] = mapped_column(SmallInteger)
    valid_until: Mapped[date | None]

    all_files: Mapped[list[PreReviewFile]] = relationship(
        order_by="PreReviewFile.version, PreReviewFile.position", lazy="raise", cascade="all, delete-orphan"
    )

    @property
    def bring(self) -> bool:
        """Whether its original, or itself where it may follow later, must come to the counter."""
        if self.verdict == Verdict.WAIVED or self.provision == Provision.LICENCE:
            return False
        return self.original_required or self.provision == Provision.ON_SITE or self.verdict == Verdict.TOLERATED

    @property
    def files(self) -> list[PreReviewFile]:
        """The files of the present version."""
        return [file for file in self.all_files if file.superseded_at is None]


class PreReviewFile(Base):
    """A stored file in one version of a material; a superseded one stays (PR-13)."""

    __tablename__ = "prereview_file"

    material_id: Mapped[UUID] = mapped_column(ForeignKey("prereview_material.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), index=True)
    digest: Mapped[bytes]
    media_type: Mapped[str] = mapped_column(Text)
    pages: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class PreReviewEvent(UuidKey, Base):
    """One move of a pre-review, append-only. `note` is ours, without personal data."""

    __tablename__ = "prereview_event"

    prereview_id: Mapped[UUID] = mapped_column(ForeignKey("prereview.id"), index=True)
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    round: Mapped[int] = mapped_column(SmallInteger)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(Text)
    acted_by: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)


class PreReviewVerdict(UuidKey, Base):
    """One verdict as it was given, append-only. `second_defect` marks one that needed a supervisor (PR-5)."""

    __tablename__ = "prereview_verdict"

    material_id: Mapped[UUID] = mapped_column(ForeignKey("prereview_material.id"), index=True)
    round: Mapped[int] = mapped_column(SmallInteger)
    verdict: Mapped[str] = mapped_column(Text)
    reason_code: Mapped[str | None] = mapped_column(Text)
    second_defect: Mapped[bool]
    at: Mapped[datetime]
    by: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"))


class PreReviewNote(UuidKey, Base):
    """An internal note: a question to a colleague, an answer. No citizen sees it."""

    __tablename__ = "prereview_note"

    prereview_id: Mapped[UUID] = mapped_column(ForeignKey("prereview.id"), index=True)
    by: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"))
    text: Mapped[str] = mapped_column(Encrypted("prereview_note.text"))
    at: Mapped[datetime]


class PreReviewFinding(UuidKey, Base):
    """Something supervision must know (S23): once per pre-review, kind, round and material (0: the whole)."""

    __tablename__ = "prereview_finding"
    __table_args__ = (
        UniqueConstraint("prereview_id", "kind", "round", "material_no"),
        _one_of("kind", FindingKind, "kind_known"),
        CheckConstraint("kind = 'LATE_FIRST_ANSWER' OR reason IS NOT NULL", name="people_give_a_reason"),
    )

    prereview_id: Mapped[UUID] = mapped_column(ForeignKey("prereview.id"))
    kind: Mapped[str] = mapped_column(Text)
    round: Mapped[int] = mapped_column(SmallInteger)
    material_no: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str | None] = mapped_column(Encrypted("prereview_finding.reason"))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(Text)
