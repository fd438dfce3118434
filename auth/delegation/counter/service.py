"""Delegations entered by staff, who have seen the documents. The session is given; nothing here commits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.delegation import queries, rules
from auth.delegation import service as delegation
from auth.delegation.errors import DelegationConflict
from auth.delegation.events import Happening
from auth.delegation.guardians import service as guardians
from auth.delegation.models import AgencyContract, Delegation, StaffPerson
from auth.delegation.record import service as record
from auth.delegation.rules import Evidence, Kind, Standing, State
from auth.delegation.service import Offer, Wish
from auth.identity import service as identity
from auth.staff import queries as staff
from auth.staff.roles import PROJECT_OFFICER
from core import audit, clock
from core.actors import Actor, Staff
from core.errors import InvalidInput, NotFound, StateConflict
from core.identifiers import DocumentNumber


@dataclass(frozen=True, slots=True)
class Present:
    """A person at the counter, or one named in the paper: name, card, and a phone for messages."""

    name: str = field(repr=False)
    document: DocumentNumber
    phone: str | None = field(default=None, repr=False)


def enter(
    session: Session,
    *,
    actor: Staff,
    principal: Present,
    agent: Present,
    wish: Wish,
    evidence: Evidence,
    document_seen: str,
) -> Delegation:
    """Enter a paper or notarised delegation that the clerk has seen (DG-1); it counts at once and both sides are told.

    The agent is at the counter with the card in the clerk's hand; on plain paper, so is the principal. Raises
    `DelegationConflict` (the clerk is one side), `DelegationLimit`, `DocumentDiffers`, `InvalidInput`.
    """
    if evidence not in (Evidence.PAPER, Evidence.NOTARISED) or wish.kind not in (Kind.MANDATE, Kind.FAMILY):
        raise InvalidInput(fields={"evidence": ["请选择纸质或公证委托 / paper or notarised"]})
    principal_id = _person(session, actor, principal, here=evidence is Evidence.PAPER)
    agent_id = _person(session, actor, agent, here=True)
    _not_the_clerk(session, actor, principal_id, agent_id)
    delegation.check_room(session, agent_id=agent_id, principal_id=principal_id, kind=wish.kind)
    row = delegation.new_row(actor, principal_id, wish)
    row.agent_id, row.evidence, row.document_seen, row.state = agent_id, evidence, document_seen, State.ACTIVE
    return record.begin(session, actor, row, happening=Happening.BEGUN)


def enter_guardian(
    session: Session,
    *,
    actor: Staff,
    minor: Present,
    guardian: Present,
    born_on: date | None,
    relation: str,
    valid_until: datetime | None,
    document_seen: str,
) -> Delegation:
    """Enter a guardian by household register, birth certificate or judgement; the guardian's card is in hand (DG-5).

    `born_on` is needed for a child whose document doesn't tell it; an adult ward has none and needs `valid_until`.
    Raises `DelegationConflict`, `DocumentDiffers`, `InvalidInput`.
    """
    born = minor.document.birth_date or born_on
    if born is None and valid_until is None:
        raise InvalidInput(fields={"born_on": ["请填写出生日期，成年被监护人请填写截止日期 / birth date, or an end"]})
    if rules.of_age(born, clock.now()) and valid_until is None:
        raise InvalidInput(fields={"valid_until": ["成年被监护人须有截止日期 / a ward of age needs an end"]})
    ward_of_age = rules.of_age(born, clock.now())
    minor_id = accounts.open_for_walk_in(session, actor=actor, name=minor.name, document=minor.document)
    guardian_id = _person(session, actor, guardian, here=True)
    _not_the_clerk(session, actor, minor_id, guardian_id)
    return guardians.write_link(
        session,
        actor=actor,
        minor_id=minor_id,
        guardian_id=guardian_id,
        born_on=None if ward_of_age else born,
        relation=relation,
        evidence=Evidence.PAPER,
        valid_until=valid_until,
        document_seen=document_seen,
    )


def enter_institution(
    session: Session, *, actor: Staff, minor: Present, institution_id: UUID, born_on: date | None, document_seen: str
) -> Delegation:
    """Enter an institution (a children's home) as guardian: its named staff act (DG-5). Raises as `enter_guardian`."""
    born = minor.document.birth_date or born_on
    if born is None or rules.of_age(born, clock.now()):
        raise InvalidInput(fields={"born_on": ["请填写未成年人的出生日期 / the child's birth date is needed"]})
    minor_id = accounts.open_for_walk_in(session, actor=actor, name=minor.name, document=minor.document)
    return guardians.write_link(
        session,
        actor=actor,
        minor_id=minor_id,
        guardian_id=institution_id,
        born_on=born,
        relation="INSTITUTION",
        evidence=Evidence.PAPER,
        document_seen=document_seen,
    )


def offer_for(session: Session, *, actor: Staff, principal: Present, wish: Wish, present: bool) -> Offer:
    """Open a family delegation for somebody without a smartphone, at the counter or on the hotline (DG-6).

    The code is read out; the principal agrees by the code sent to the principal's phone, wherever it rings. `present`:
    the card is in the clerk's hand. On the hotline only somebody we know can be helped. Raises `NotFound`.
    """
    if wish.kind is not Kind.FAMILY:
        raise InvalidInput(fields={"kind": ["仅用于亲友代办 / for the family delegation only"]})
    if present:
        principal_id = _person(session, actor, principal, here=True)
    else:
        found = people.find_by_document(session, principal.document)
        if found is None:
            raise NotFound()
        principal_id = accounts.open_for_walk_in(session, actor=actor, name=principal.name, document=principal.document)
    _not_the_clerk(session, actor, principal_id)
    return delegation.open_offer(session, actor=actor, principal_id=principal_id, wish=wish)


def confirm_in_person(
    session: Session, *, actor: Staff, delegation_id: UUID, document: DocumentNumber, document_seen: str
) -> Delegation:
    """The principal is at the counter and agrees to who took the offer. Raises `NotFound`, `StateConflict`, `DocumentDiffers`."""
    row = queries.any_locked(session, delegation_id)
    if row.state != State.ACCEPTED or row.kind != Kind.FAMILY or row.agent_id is None:
        raise StateConflict()
    _not_the_clerk(session, actor, row.principal_id, row.agent_id)
    identity.record_counter_check(session, actor=actor, subject_id=row.principal_id, document=document)
    delegation.check_room(session, agent_id=row.agent_id, principal_id=row.principal_id, kind=Kind(row.kind))
    row.evidence, row.document_seen = Evidence.PAPER, document_seen
    record.move(session, actor, row, State.ACTIVE, happening=Happening.BEGUN)
    return row


def revoke(session: Session, *, actor: Staff, delegation_id: UUID, document: DocumentNumber) -> Delegation:
    """The principal, or for a child another guardian with a judgement, ends it at the counter, card in hand (DG-1)."""
    row = queries.any_locked(session, delegation_id)
    sides = {row.principal_id}
    if row.kind == Kind.GUARDIAN:
        sides |= {
            link.agent_id for link in queries.guardians_of(session, row.principal_id, clock.now()) if link.agent_id
        }
    here = people.find_by_document(session, document)
    if here not in sides:
        raise NotFound()
    record.move(session, actor, row, State.REVOKED, happening=Happening.ENDED)
    return row


def dispute(session: Session, *, actor: Staff, document: DocumentNumber, note: str) -> list[Delegation]:
    """Close all guardian links of a child until the dispute is settled (DG-5). Raises `NotFound` when there is none."""
    minor_id, links = _links(session, document)
    for row in links:
        if row.state == State.ACTIVE:
            record.move(session, actor, row, State.DISPUTED, happening=Happening.DISPUTED)
    _note(session, actor, "delegation.dispute", minor_id, note)
    return links


def settle(
    session: Session, *, actor: Staff, document: DocumentNumber, guardians: set[UUID], note: str
) -> list[Delegation]:
    """The dispute is settled: these links go on, the others end (DG-5). Raises `NotFound`, `StateConflict`."""
    minor_id, links = _links(session, document)
    if not all(queries.standing(row, clock.now()) is Standing.DISPUTED for row in links):
        raise StateConflict()
    if not guardians <= {row.id for row in links}:
        raise NotFound()
    for row in links:
        if row.id in guardians:
            record.move(session, actor, row, State.ACTIVE, happening=Happening.RESOLVED)
        else:
            record.move(session, actor, row, State.REVOKED, happening=Happening.ENDED)
    _note(session, actor, "delegation.settle", minor_id, note)
    return links


def _links(session: Session, document: DocumentNumber) -> tuple[UUID, list[Delegation]]:
    """A child by its document, and its guardian links, locked. Raises `NotFound`."""
    minor_id = people.find_by_document(session, document)
    links = [] if minor_id is None else queries.guardians_of(session, minor_id, clock.now())
    if minor_id is None or not links:
        raise NotFound()
    return minor_id, [queries.any_locked(session, row.id) for row in links]


def request_project(
    session: Session, *, actor: Staff, principal_id: UUID, officer_id: UUID, wish: Wish, document_seen: str
) -> Delegation:
    """Assign a 代办员 to a project by the applicant's written request: filing and tracking, free of charge (DG-8).

    Raises `NotFound`, `InvalidInput` (no such officer), `DelegationConflict` (assigning oneself), `StateConflict`.
    """
    member = staff.member(session, officer_id)
    if not member.active or PROJECT_OFFICER not in member.roles:
        raise InvalidInput(fields={"officer_id": ["不是代办员 / not a project officer"]})
    if officer_id == actor.staff_id:
        raise DelegationConflict()
    people.person(session, principal_id)
    if len(queries.projects_of(session, officer_id, clock.now())) >= rules.POLICY.projects_per_officer:
        raise StateConflict()
    row = delegation.new_row(actor, principal_id, replace(wish, kind=Kind.PROJECT))
    row.agent_staff_id, row.evidence, row.document_seen = officer_id, Evidence.PAPER, document_seen
    row.state = State.ACTIVE
    return record.begin(session, actor, row, happening=Happening.BEGUN)


def sign_contract(
    session: Session,
    *,
    actor: Staff,
    agency_id: UUID,
    number: str,
    principals: int,
    valid_from: datetime,
    valid_until: datetime,
) -> AgencyContract:
    """Record the city's contract with an agency; its former one ends (DG-4)."""
    former = queries.contract(session, agency_id, clock.now())
    if former is not None:
        former.ended_at = clock.now()
        session.flush()
    made = AgencyContract(
        agency_id=agency_id,
        number=number,
        principals=principals,
        valid_from=valid_from,
        valid_until=valid_until,
        created_at=clock.now(),
        created_by=actor.audit_id,
    )
    session.add(made)
    session.flush()
    _note(session, actor, "delegation.contract", agency_id, number)
    return made


def declare_own_identity(session: Session, *, actor: Staff, name: str, document: DocumentNumber) -> UUID:
    """A member of staff says which citizen they are, so that they don't act for others at their own hall.

    Said once. Raises `StateConflict` when they, or somebody else as that citizen, said it before.
    """
    subject_id = accounts.open_for_walk_in(session, actor=actor, name=name, document=document)
    if session.get(StaffPerson, actor.staff_id) is not None or queries.staff_of(session, subject_id) is not None:
        raise StateConflict()
    session.add(StaffPerson(staff_id=actor.staff_id, subject_id=subject_id, declared_at=clock.now()))
    session.flush()
    _note(session, actor, "delegation.staff_person", subject_id, "")
    return subject_id


def _person(session: Session, actor: Staff, present: Present, *, here: bool) -> UUID:
    # Only who is here tells where their messages go: an agent's phone never becomes the principal's.
    phone = present.phone if here else None
    subject_id = accounts.open_for_walk_in(
        session, actor=actor, name=present.name, document=present.document, phone=phone
    )
    if here:
        identity.record_counter_check(session, actor=actor, subject_id=subject_id, document=present.document)
    return subject_id


def _not_the_clerk(session: Session, actor: Staff, *sides: UUID) -> None:
    """Nobody writes down officially what serves oneself. Raises `DelegationConflict`."""
    own = session.get(StaffPerson, actor.staff_id)
    if own is not None and own.subject_id in sides:
        raise DelegationConflict()


def _note(session: Session, actor: Actor, action: str, object_id: UUID, note: str) -> None:
    audit.record(session, actor=actor, action=action, object_type="subject", object_id=object_id, note=note)
