"""Tables of delegations. Their history is append-only; the database refuses to change or delete a row (migration 0013)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from auth.delegation.rules import LIVE, Evidence, Kind, Scope, State
from core.actors import Action
from core.db import Base, Encrypted, UuidKey


def _values(codes: Iterable[StrEnum]) -> str:
    return ", ".join(f"'{code.value}'" for code in sorted(codes))


_LIVE = text(f"state IN ({_values(LIVE)})")
_OPEN = text("state = 'OFFERED' AND code_lookup IS NOT NULL")


class Delegation(UuidKey, Base):
    """委托. `agent_id` is a person, or an agency or institution whose named staff act; `agent_staff_id` a 代办员 (DG-8).

    `born_on` (ISO) is the child's birth date behind a guardian's link, so that it ends by itself. `code_lookup` is the
    keyed hash of the code read out over the phone, `confirm_mac` of the code that the principal answers with (DG-6).
    """

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_values(Kind)})", name="kind_known"),
        CheckConstraint(f"scope IN ({_values(Scope)})", name="scope_known"),
        CheckConstraint(f"evidence IN ({_values(Evidence)})", name="evidence_known"),
        CheckConstraint(f"state IN ({_values(State)})", name="state_known"),
        CheckConstraint(f"actions <@ ARRAY[{_values(Action)}] AND actions <> '{{}}'", name="actions_known"),
        CheckConstraint("agent_id <> principal_id", name="not_oneself"),
        CheckConstraint("(kind = 'PROJECT') = (agent_staff_id IS NOT NULL)", name="officer_of_project"),
        CheckConstraint("agent_id IS NULL OR agent_staff_id IS NULL", name="one_agent"),
        CheckConstraint(
            "state IN ('OFFERED', 'DECLINED', 'REVOKED') OR agent_id IS NOT NULL OR agent_staff_id IS NOT NULL",
            name="acts_by_somebody",
        ),
        CheckConstraint(
            "kind <> 'PROJECT' OR actions <@ ARRAY['CORRECT', 'SUBMIT', 'VIEW']", name="officer_files_and_tracks"
        ),
        CheckConstraint("kind <> 'FAMILY' OR NOT 'COLLECT' = ANY (actions)", name="family_does_not_collect"),
        CheckConstraint("valid_until > valid_from", name="ends_after_it_begins"),
        CheckConstraint("kind = 'GUARDIAN' OR valid_until IS NOT NULL", name="only_guardians_have_no_end"),
        CheckConstraint("(scope IN ('ITEMS', 'KINDS')) = (scope_values <> '[]')", name="scope_has_values"),
        CheckConstraint(
            "(state IN ('DECLINED', 'REVOKED', 'RENOUNCED')) = (ended_at IS NOT NULL)", name="ended_has_a_time"
        ),
        Index("uq_delegation_guardian", "principal_id", "agent_id", unique=True,
              postgresql_where=text(f"kind = 'GUARDIAN' AND state IN ({_values(LIVE)})")),
        Index("uq_delegation_code_lookup", "code_lookup", unique=True, postgresql_where=_OPEN),
        Index("ix_delegation_principal_id", "principal_id"),
        Index("ix_delegation_agent_id", "agent_id"),
        Index("ix_delegation_agent_staff_id", "agent_staff_id", postgresql_where=_LIVE),
    )  # fmt: skip

    kind: Mapped[str] = mapped_column(Text)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"))
    agent_staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_member.id"))
    scope: Mapped[str] = mapped_column(Text)
    scope_values: Mapped[list[Any]]
    actions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    born_on: Mapped[str | None] = mapped_column(Encrypted("delegation.born_on"))
    relation: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Encrypted("delegation.purpose"))
    evidence: Mapped[str] = mapped_column(Text)
    document_seen: Mapped[str | None] = mapped_column(Encrypted("delegation.document_seen"))
    evidence_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(Text)
    offer_until: Mapped[datetime | None]
    code_lookup: Mapped[bytes | None]
    confirm_mac: Mapped[bytes | None]
    confirm_until: Mapped[datetime | None]
    confirm_tries: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(Text)


class DelegationEvent(UuidKey, Base):
    """One move of a delegation. Append-only."""

    __tablename__ = "delegation_event"
    __table_args__ = (Index("ix_delegation_event_delegation_id", "delegation_id"),)

    delegation_id: Mapped[UUID] = mapped_column(ForeignKey("delegation.id"))
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)


class GuardianAgreement(UuidKey, Base):
    """A guardian's word that a minor of 8 to 17 may do one item alone until then (DG-5)."""

    __tablename__ = "guardian_agreement"
    __table_args__ = (
        CheckConstraint("valid_until > given_at", name="ends_after_it_begins"),
        Index("ix_guardian_agreement_delegation_id", "delegation_id"),
    )

    delegation_id: Mapped[UUID] = mapped_column(ForeignKey("delegation.id"))
    item_id: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime]
    given_by: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    valid_until: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class AgencyContract(UuidKey, Base):
    """The city's contract with a 代办 agency or law firm: how many people it may act for, and until when (DG-4)."""

    __tablename__ = "agency_contract"
    __table_args__ = (
        CheckConstraint("valid_until > valid_from", name="ends_after_it_begins"),
        CheckConstraint("principals > 0", name="acts_for_somebody"),
        Index("uq_agency_contract_live", "agency_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    number: Mapped[str] = mapped_column(Text, unique=True)
    principals: Mapped[int] = mapped_column(Integer)
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None]


class StaffPerson(Base):
    """Which natural person a member of staff is, so that nobody acts for others at the own hall."""

    __tablename__ = "staff_person"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_member.id"), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), unique=True)
    declared_at: Mapped[datetime]
