"""Reads of organisations and roles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, and_, or_, select
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.organisations.models import Organisation, OrganisationRole
from auth.organisations.ports import RegistryQuestion
from auth.organisations.rules import Role, RoleState
from core.errors import NotFound

CREDIT_CODE = "USCC"
"""What stands where a person's kind of document stands: the unified social credit code."""


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role with its organisation, as the two sides see it. `holder` is to be masked by the surface."""

    id: UUID
    organisation_id: UUID
    organisation: str
    credit_code: str
    holder: str = field(repr=False)
    role: Role = Role.HANDLER
    scope: str = ""
    scope_values: Sequence[str] = ()
    actions: Sequence[str] = ()
    state: RoleState = RoleState.OFFERED
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def roles_of_person(session: Session, subject_id: UUID, now: datetime) -> Sequence[RoleView]:
    """The live roles of a person and those offered to them, newest first."""
    own = people.document(session, subject_id)
    lookup = b"" if own is None else people.document_lookup(own)
    offered = and_(
        OrganisationRole.state == RoleState.OFFERED,
        OrganisationRole.person_lookup == lookup,
        OrganisationRole.offer_until > now,
    )
    live = and_(
        OrganisationRole.state == RoleState.ACTIVE,
        OrganisationRole.person_id == subject_id,
        or_(OrganisationRole.valid_until.is_(None), OrganisationRole.valid_until > now),
    )
    return _views(session, _with_organisation().where(or_(offered, live)))


def roles_of_organisation(session: Session, organisation_id: UUID) -> Sequence[RoleView]:
    """Everybody who acts or is asked to act for an organisation, newest first."""
    wanted = OrganisationRole.state.in_((RoleState.OFFERED, RoleState.ACTIVE))
    return _views(session, _with_organisation().where(OrganisationRole.organisation_id == organisation_id, wanted))


def view(session: Session, role_id: UUID) -> RoleView:
    """One role, for those who have checked whose it is. Raises `NotFound`."""
    found = _views(session, _with_organisation().where(OrganisationRole.id == role_id))
    if not found:
        raise NotFound()
    return found[0]


def _with_organisation() -> Select[OrganisationRole, Organisation]:
    return (
        select(OrganisationRole, Organisation)
        .join(Organisation, Organisation.subject_id == OrganisationRole.organisation_id)
        .order_by(OrganisationRole.id.desc())
    )


def _views(session: Session, query: Select[OrganisationRole, Organisation]) -> list[RoleView]:
    return [_view(row) for row in session.execute(query.execution_options(populate_existing=True))]


def _view(row: Row[OrganisationRole, Organisation]) -> RoleView:
    role, organisation = row
    return RoleView(
        id=role.id,
        organisation_id=role.organisation_id,
        organisation=organisation.name,
        credit_code=organisation.credit_code,
        holder=role.person_name,
        role=Role(role.role),
        scope=role.scope,
        scope_values=role.scope_values,
        actions=sorted(role.actions),
        state=RoleState(role.state),
        valid_from=role.valid_from,
        valid_until=role.valid_until,
    )


def organisation(session: Session, subject_id: UUID) -> Organisation:
    """An organisation by its subject. Raises `NotFound`."""
    found = session.get(Organisation, subject_id)
    if found is None:
        raise NotFound()
    return found


def among(session: Session, subjects: Collection[UUID]) -> set[UUID]:
    """Which of these subjects are organisations."""
    return set(session.scalars(select(Organisation.subject_id).where(Organisation.subject_id.in_(subjects))))


def credit_code(session: Session, subject_id: UUID) -> str | None:
    """The credit code of an organisation; None for a person."""
    return session.scalar(select(Organisation.credit_code).where(Organisation.subject_id == subject_id))


def find_by_credit_code(session: Session, credit_code: str) -> UUID | None:
    """The subject of the organisation with this credit code, or None."""
    return session.scalar(select(Organisation.subject_id).where(Organisation.credit_code == credit_code))


def representative(session: Session, organisation_id: UUID) -> UUID | None:
    """The person who is the legal representative now, as far as we know."""
    return session.scalar(
        select(OrganisationRole.person_id).where(
            OrganisationRole.organisation_id == organisation_id,
            OrganisationRole.role == Role.LEGAL_REPRESENTATIVE,
            OrganisationRole.state == RoleState.ACTIVE,
        )
    )


def question(session: Session, organisation_id: UUID) -> RegistryQuestion | None:
    """What to ask the registry about an organisation; None when it has no representative here or is closed."""
    person_id = representative(session, organisation_id)
    found = session.get(Organisation, organisation_id)
    if person_id is None or found is None or found.deregistered:
        return None
    return question_about(session, person_id, found.credit_code)


def question_about(session: Session, person_id: UUID, credit_code: str) -> RegistryQuestion | None:
    """The question whether a proven person represents an organisation; None for one who has proven nothing."""
    who = people.person(session, person_id)
    if who.name is None or who.document_type is None or who.document_number is None:
        return None
    return RegistryQuestion(credit_code, who.name, who.document_type.value, who.document_number)


def to_check(session: Session, before: datetime) -> Sequence[UUID]:
    """The organisations with a representative whose confirmation is older than `before`."""
    return session.scalars(
        select(Organisation.subject_id)
        .join(OrganisationRole, OrganisationRole.organisation_id == Organisation.subject_id)
        .where(
            OrganisationRole.role == Role.LEGAL_REPRESENTATIVE,
            OrganisationRole.state == RoleState.ACTIVE,
            Organisation.checked_at < before,
        )
    ).all()


def readers(session: Session, organisation_id: UUID) -> list[UUID]:
    """Who reads the messages to an organisation: its representative and administrators (DG-2); nobody for a person."""
    query = select(OrganisationRole.person_id).where(
        OrganisationRole.organisation_id == organisation_id,
        OrganisationRole.state == RoleState.ACTIVE,
        OrganisationRole.role.in_((Role.LEGAL_REPRESENTATIVE, Role.ADMINISTRATOR)),
    )
    return [person for person in session.scalars(query.order_by(OrganisationRole.id)) if person is not None]


def live_between(session: Session, organisation_id: UUID, person_id: UUID, now: datetime) -> Sequence[OrganisationRole]:
    """The roles by which a person acts for an organisation now."""
    query = select(OrganisationRole).where(
        OrganisationRole.organisation_id == organisation_id,
        OrganisationRole.person_id == person_id,
        OrganisationRole.state == RoleState.ACTIVE,
        or_(OrganisationRole.valid_until.is_(None), OrganisationRole.valid_until > now),
    )
    return session.scalars(query).all()
