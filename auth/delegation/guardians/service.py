"""Linking a child, agreeing to a child's own acts, and refusing what a child may not do alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import DocumentDiffers
from auth.delegation import queries, rules
from auth.delegation.errors import (
    DelegationConflict,
    GuardianNotConfirmed,
    GuardianRequired,
    GuardianshipDisputed,
)
from auth.delegation.events import Happening
from auth.delegation.guardians.ports import HouseholdAnswer, HouseholdRegistry, HouseholdResult, Known
from auth.delegation.models import Delegation, GuardianAgreement
from auth.delegation.record import service as record
from auth.delegation.rules import Evidence, Kind, OwnAct, Scope, Standing, State
from core import audit, clock, ids, ports
from core.actors import Action, Actor, Citizen
from core.db import transaction
from core.errors import InvalidInput, NotFound, SourceUnavailable
from core.identifiers import DocumentNumber, name_key, normalise_name
from core.limits import Limit, hit
from core.ports import PartnerUnavailable

CHECKS_PER_PERSON = Limit("household-registry-person", 10, 3_600)
LONGEST_AGREEMENT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the household data said about which child."""

    name: str = field(repr=False)
    document: DocumentNumber
    answer: HouseholdAnswer


def ask(*, actor: Citizen, name: str, document: DocumentNumber) -> Asked:
    """Ask whether the actor is a guardian of this child. Outside any transaction.

    Raises `RateLimited`, `SourceUnavailable`, `GuardianNotConfirmed` when the actor has proven no identity.
    """
    hit(CHECKS_PER_PERSON, str(actor.subject_id))
    with transaction() as session:
        own = people.person(session, actor.subject_id)
    if own.name is None or own.document_type is None or own.document_number is None:
        raise GuardianNotConfirmed()
    child = Known(normalise_name(name), document.type.value, document.number)
    asking = Known(own.name, own.document_type.value, own.document_number)
    try:
        answer = ports.get(HouseholdRegistry).guardian(child=child, asking=asking, request_id=ids.uuid7())
    except PartnerUnavailable:
        raise SourceUnavailable() from None
    return Asked(child.name, document, answer)


def link(session: Session, *, actor: Citizen, asked: Asked) -> Delegation:
    """Link the child that the household data confirm to be the actor's (DG-5); again changes nothing.

    Raises `GuardianNotConfirmed` (also for an institution's child: its staff come to the counter),
    `GuardianshipDisputed`, `InvalidInput` for somebody of age.
    """
    answer = asked.answer
    if answer.result is HouseholdResult.DISPUTED:
        raise GuardianshipDisputed()
    born_on = answer.born_on or asked.document.birth_date
    if answer.result is not HouseholdResult.GUARDIAN or born_on is None:
        raise GuardianNotConfirmed()
    minor_id = minor_of(session, actor, name=asked.name, document=asked.document, born_on=born_on)
    return write_link(
        session,
        actor=actor,
        minor_id=minor_id,
        guardian_id=actor.subject_id,
        born_on=born_on,
        relation=answer.relation,
        evidence=Evidence.STATUTORY,
    )


def minor_of(session: Session, actor: Actor, *, name: str, document: DocumentNumber, born_on: date) -> UUID:
    """The subject of a child whose document a source or a clerk has confirmed. Raises `InvalidInput`, `DocumentDiffers`."""
    if rules.of_age(born_on, clock.now()):
        raise InvalidInput(fields={"document_number": ["已满18周岁，不需要监护人 / this person is of age"]})
    minor_id = accounts.open_with_document(session, actor=actor, name=name, document=document)
    if name_key(people.person(session, minor_id).name or "") != name_key(name):
        raise DocumentDiffers()
    return minor_id


def write_link(
    session: Session,
    *,
    actor: Actor,
    minor_id: UUID,
    guardian_id: UUID,
    born_on: date | None,
    relation: str,
    evidence: Evidence,
    valid_until: datetime | None = None,
    document_seen: str | None = None,
) -> Delegation:
    """A guardian's link, or the one that stands. While one link of a child is in dispute, so is a new one (DG-5)."""
    if guardian_id == minor_id:
        raise DelegationConflict()
    accounts.lock(session, minor_id, guardian_id)
    now = clock.now()
    others = queries.guardians_of(session, minor_id, now)
    mine = next((row for row in others if row.agent_id == guardian_id), None)
    if mine is not None:
        return mine
    row = Delegation(
        kind=Kind.GUARDIAN,
        principal_id=minor_id,
        agent_id=guardian_id,
        scope=Scope.ALL,
        scope_values=[],
        actions=sorted(Action),
        valid_from=now,
        valid_until=valid_until,
        born_on=None if born_on is None else born_on.isoformat(),
        relation=relation,
        purpose="",
        evidence=evidence,
        document_seen=document_seen,
        state=State.ACTIVE,
        created_at=now,
        created_by=actor.audit_id,
    )
    _end_lapsed(session, actor, minor_id, guardian_id)
    record.begin(session, actor, row, happening=Happening.BEGUN)
    if any(queries.standing(other, now) is Standing.DISPUTED for other in others):
        record.move(session, actor, row, State.DISPUTED, happening=Happening.DISPUTED)
    return row


def _end_lapsed(session: Session, actor: Actor, minor_id: UUID, guardian_id: UUID) -> None:
    """A link of these two that time has ended makes room for a new one."""
    query = select(Delegation).where(
        Delegation.principal_id == minor_id,
        Delegation.agent_id == guardian_id,
        Delegation.kind == Kind.GUARDIAN,
        Delegation.state.in_(rules.LIVE),
    )
    for row in session.scalars(query.with_for_update()).all():
        record.move(session, actor, row, State.REVOKED, note="lapsed")


# What a minor does alone -----------------------------------------------------------------------------------------------


def agree(
    session: Session, *, actor: Citizen, delegation_id: UUID, item_id: str, valid_until: datetime
) -> GuardianAgreement:
    """A guardian lets a minor of 8 to 17 do one item alone for a while, 90 days at most [D] (DG-5).

    Raises `NotFound`, `GuardianshipDisputed`, `GuardianRequired` (below 8), `InvalidInput` (time).
    """
    now = clock.now()
    row = queries.of_side(session, delegation_id, actor.subject_id, lock=True)
    standing = queries.standing(row, now)
    if row.agent_id != actor.subject_id or row.kind != Kind.GUARDIAN or standing is Standing.ENDED:
        raise NotFound()
    if standing is not Standing.LIVE:
        raise GuardianshipDisputed()
    if rules.own_act(queries.born_on(row), now) is not OwnAct.WITH_AGREEMENT:
        raise GuardianRequired()
    if not now < valid_until <= now + LONGEST_AGREEMENT:
        raise InvalidInput(fields={"valid_until": ["同意最长90天 / an agreement lasts 90 days at most"]})
    agreement = GuardianAgreement(
        delegation_id=row.id, item_id=item_id, given_at=now, given_by=actor.subject_id, valid_until=valid_until
    )
    session.add(agreement)
    session.flush()
    _record(session, actor, "delegation.agree", row.id, item_id)
    return agreement


def take_back(session: Session, *, actor: Citizen, delegation_id: UUID, item_id: str) -> None:
    """The guardian no longer agrees; what the minor has done stays. Raises `NotFound`."""
    row = queries.of_side(session, delegation_id, actor.subject_id, lock=True)
    ended = session.scalars(
        update(GuardianAgreement)
        .where(
            GuardianAgreement.delegation_id == row.id,
            GuardianAgreement.item_id == item_id,
            GuardianAgreement.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=clock.now())
        .returning(GuardianAgreement.id)
    ).all()
    if row.agent_id != actor.subject_id or not ended:
        raise NotFound()
    _record(session, actor, "delegation.take_back_agreement", row.id, item_id)


def require_own(session: Session, *, subject_id: UUID, item_id: str, born_on: date | None = None) -> None:
    """Whether a person may do this alone (DG-5). Raises `GuardianRequired` for a minor without a guardian's agreement."""
    now = clock.now()
    match rules.own_act(born_on or queries.birth_date(session, subject_id, now), now):
        case OwnAct.NEVER:
            raise GuardianRequired()
        case OwnAct.WITH_AGREEMENT if not queries.agreed(session, subject_id, item_id, now):
            raise GuardianRequired()


def _record(session: Session, actor: Citizen, action: str, delegation_id: UUID, item_id: str) -> None:
    audit.record(
        session, actor=actor, action=action, object_type="delegation", object_id=delegation_id, item_id=item_id
    )
