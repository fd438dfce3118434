"""Tables of organisations and roles. The history of roles is append-only (migration 0013)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from auth.delegation.rules import Scope
from auth.organisations.rules import OrganisationKind, Role, RoleState
from core.actors import Action
from core.db import Base, Encrypted, UuidKey


def _values(codes: Iterable[StrEnum]) -> str:
    return ", ".join(f"'{code.value}'" for code in sorted(codes))


class Organisation(Base):
    """One legal person, which is the subject `subject_id`. `checked_at`: when the registry last confirmed who represents it."""

    __tablename__ = "organisation"
    __table_args__ = (CheckConstraint(f"kind IN ({_values(OrganisationKind)})", name="kind_known"),)

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"), primary_key=True)
    credit_code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    deregistered: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    checked_at: Mapped[datetime]
    created_at: Mapped[datetime]


class OrganisationRole(UuidKey, Base):
    """What a person is in an organisation, for which items and acts. The representative has all of them and no end.

    An offer names its person by the keyed hash of the document (`person_lookup`) and the name: whether we know them is
    nobody's business before they accept.
    """

    __tablename__ = "organisation_role"
    __table_args__ = (
        CheckConstraint(f"role IN ({_values(Role)})", name="role_known"),
        CheckConstraint(f"state IN ({_values(RoleState)})", name="state_known"),
        CheckConstraint(f"scope IN ({_values(Scope)})", name="scope_known"),
        CheckConstraint("(scope IN ('ITEMS', 'KINDS')) = (scope_values <> '[]')", name="scope_has_values"),
        CheckConstraint(f"actions <@ ARRAY[{_values(Action)}] AND actions <> '{{}}'", name="actions_known"),
        CheckConstraint("(role = 'LEGAL_REPRESENTATIVE') = (valid_until IS NULL)", name="appointments_end"),
        CheckConstraint("(role = 'LEGAL_REPRESENTATIVE') = (appointed_by IS NULL)", name="appointed_by_somebody"),
        CheckConstraint("valid_until > valid_from", name="ends_after_it_begins"),
        CheckConstraint("(state = 'ENDED') = (end_reason IS NOT NULL)", name="ended_has_reason"),
        Index("uq_organisation_role_representative", "organisation_id", unique=True,
              postgresql_where=text("role = 'LEGAL_REPRESENTATIVE' AND state = 'ACTIVE'")),
        CheckConstraint("state <> 'ACTIVE' OR person_id IS NOT NULL", name="held_by_somebody"),
        Index("uq_organisation_role_live", "organisation_id", "person_lookup", "role", unique=True,
              postgresql_where=text("state IN ('ACTIVE', 'OFFERED')")),
        Index("ix_organisation_role_offered", "person_lookup", postgresql_where=text("state = 'OFFERED'")),
        Index("ix_organisation_role_person_id", "person_id"),
    )  # fmt: skip

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("subject.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"))
    person_lookup: Mapped[bytes]
    person_name: Mapped[str] = mapped_column(Encrypted("organisation_role.person_name"))
    role: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    scope_values: Mapped[list[Any]]
    actions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(Text)
    appointed_by: Mapped[UUID | None] = mapped_column(ForeignKey("subject.id"))
    created_at: Mapped[datetime]
    offer_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(Text)


class OrganisationRoleEvent(UuidKey, Base):
    """One move of a role. Append-only."""

    __tablename__ = "organisation_role_event"
    __table_args__ = (Index("ix_organisation_role_event_role_id", "role_id"),)

    role_id: Mapped[UUID] = mapped_column(ForeignKey("organisation_role.id"))
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
