"""Registering an organisation's representative, appointing people, and following the registry.

The registry is asked outside any transaction: `ask`, `ask_again`. The session is given to the rest; nothing there commits.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.events import SubjectsMerged
from auth.delegation import rules as delegation
from auth.delegation.errors import GuardianRequired
from auth.delegation.rules import OwnAct, Scope
from auth.organisations import queries, rules
from auth.organisations.errors import OrganisationClosed, RepresentativeNotConfirmed, RoleLimit
from auth.organisations.events import RoleBegun, RoleEnded
from auth.organisations.models import Organisation, OrganisationRole, OrganisationRoleEvent
from auth.organisations.ports import MarketRegistry, RegistryAnswer, RegistryQuestion, RegistryResult
from auth.organisations.queries import RoleView
from auth.organisations.rules import APPOINTS, POLICY, EndReason, Role, RoleState
from core import audit, cache, clock, events, ids, ports
from core.actors import Action, Actor, Capacity, Citizen, System
from core.db import transaction
from core.errors import DelegationOutOfScope, NotFound, SourceUnavailable, StateConflict
from core.identifiers import DocumentNumber, name_key, normalise_credit_code, normalise_name
from core.limits import hit
from core.ports import PartnerUnavailable
from core.web.access import level_too_low

_REGISTRY = System("market-registry")
_ASKING_PAUSE_SECONDS = 60
_LEVEL = 3

log = logging.getLogger("organisations")


# The registry --------------------------------------------------------------------------------------------------------


def ask(*, actor: Citizen, credit_code: str) -> tuple[RegistryQuestion, RegistryAnswer]:
    """Ask whether the actor represents the organisation. Outside any transaction.

    Raises `IdentifierError`, `RateLimited` (10 an hour per person), `SourceUnavailable`, `RepresentativeNotConfirmed`.
    """
    code = normalise_credit_code(credit_code).code
    hit(rules.CHECKS_PER_PERSON, str(actor.subject_id))
    with transaction() as session:
        question = queries.question_about(session, actor.subject_id, code)
    if question is None:
        raise RepresentativeNotConfirmed()
    try:
        return question, ports.get(MarketRegistry).representative(question, request_id=ids.uuid7())
    except PartnerUnavailable:
        raise SourceUnavailable() from None


def register(session: Session, *, actor: Citizen, question: RegistryQuestion, answer: RegistryAnswer) -> UUID:
    """Make the actor the legal representative that the registry confirmed (ID-11); the role.

    Whoever held that role here before is no longer it. Raises `RepresentativeNotConfirmed`, `OrganisationClosed`.
    """
    if answer.result is RegistryResult.DEREGISTERED:
        raise OrganisationClosed()
    if answer.result is not RegistryResult.MATCH:
        raise RepresentativeNotConfirmed()
    now = clock.now()
    organisation = _organisation(session, question.credit_code, answer, now)
    held = _representative(session, organisation.subject_id)
    organisation.checked_at, organisation.name = now, answer.name
    if held is not None and held.person_id == actor.subject_id:
        return held.id
    if held is not None:
        _end_all(session, _REGISTRY, organisation.subject_id, EndReason.REGISTRY_CHANGED)
    own = people.document(session, actor.subject_id)
    assert own is not None  # noqa: S101  # the question was made of it
    role = OrganisationRole(
        organisation_id=organisation.subject_id,
        person_id=actor.subject_id,
        person_lookup=people.document_lookup(own),
        person_name=question.name,
        role=Role.LEGAL_REPRESENTATIVE,
        scope=Scope.ALL,
        scope_values=[],
        actions=sorted(Action),
        valid_from=now,
        state=RoleState.ACTIVE,
        created_at=now,
    )
    session.add(role)
    session.flush()
    _write(session, actor, role, None)
    events.publish(session, RoleBegun(role.id, organisation.subject_id, actor.subject_id))
    return role.id


def _organisation(session: Session, credit_code: str, answer: RegistryAnswer, now: datetime) -> Organisation:
    """The organisation of a credit code, locked; made if it is new here. Of two at once, one makes it."""
    query = select(Organisation).where(Organisation.credit_code == credit_code).with_for_update()
    found = session.scalar(query)
    if found is None:
        made = accounts.open_organisation(session, name=answer.name)
        mine = session.scalar(
            insert(Organisation)
            .values(
                subject_id=made,
                credit_code=credit_code,
                name=answer.name,
                kind=answer.kind,
                checked_at=now,
                created_at=now,
            )
            .on_conflict_do_nothing(index_elements=["credit_code"])
            .returning(Organisation.subject_id)
        )
        if mine is None:
            accounts.forget_organisation(session, made)
        found = session.scalars(query).one()
    if found.deregistered:
        raise OrganisationClosed()
    return found


def ask_again(organisation_id: UUID, checked_at: datetime) -> None:
    """Before a role is used, or by the nightly job: ask the registry again when its word is old (ID-11).

    Outside any transaction. Without an answer roles go on until the word is too old, then raises `SourceUnavailable`.
    """
    now = clock.now()
    tired = rules.too_old(checked_at, now)
    if not rules.must_ask(checked_at, now) or not (tired or _may_ask(organisation_id)):
        return
    with transaction() as session:
        question = queries.question(session, organisation_id)
    if question is None:
        return
    try:
        answer = ports.get(MarketRegistry).representative(question, request_id=ids.uuid7())
    except PartnerUnavailable:
        if tired:
            raise SourceUnavailable() from None
        return
    with transaction() as session:
        follow(session, organisation_id=organisation_id, answer=answer)


def _may_ask(organisation_id: UUID) -> bool:
    """Once a minute is enough: while the registry is slow, not everybody has to wait for it."""
    try:
        return bool(cache.client().set(f"registry:{organisation_id}", "1", nx=True, ex=_ASKING_PAUSE_SECONDS))
    except RedisError:
        return True


def follow(session: Session, *, organisation_id: UUID, answer: RegistryAnswer) -> None:
    """Draw the consequences of what the registry says now: a change there ends roles here (ID-11)."""
    organisation = session.scalars(
        select(Organisation).where(Organisation.subject_id == organisation_id).with_for_update()
    ).one()
    match answer.result:
        case RegistryResult.MATCH:
            organisation.checked_at = clock.now()
        case RegistryResult.NOT_REPRESENTATIVE:
            _end_all(session, _REGISTRY, organisation_id, EndReason.REGISTRY_CHANGED)
        case RegistryResult.DEREGISTERED:
            organisation.deregistered = True
            _end_all(session, _REGISTRY, organisation_id, EndReason.DEREGISTERED)
        case RegistryResult.NOT_FOUND:
            # It was there before: a fault of the register, not a fact about the organisation.
            log.error("the market registry doesn't know an organisation that it knew")


def _end_all(session: Session, actor: Actor, organisation_id: UUID, reason: EndReason) -> None:
    query = select(OrganisationRole).where(
        OrganisationRole.organisation_id == organisation_id,
        OrganisationRole.state.in_((RoleState.ACTIVE, RoleState.OFFERED)),
    )
    if reason is EndReason.REGISTRY_CHANGED and not POLICY.appointments_end_with_representative:
        query = query.where(OrganisationRole.role == Role.LEGAL_REPRESENTATIVE)
    for role in session.scalars(query.order_by(OrganisationRole.id).with_for_update()):
        _end(session, actor, role, reason)


# Appointments --------------------------------------------------------------------------------------------------------


def appoint(
    session: Session,
    *,
    actor: Citizen,
    name: str,
    document: DocumentNumber,
    role: Role,
    scope: Scope,
    scope_values: Collection[str],
    actions: Collection[Action],
    valid_until: datetime | None,
) -> UUID:
    """Offer a person a role in the organisation that the actor acts for; the person accepts it (ID-11).

    Raises `AuthLevelTooLow` (3), `DelegationOutOfScope` (not theirs to give), `StateConflict` (has or is offered it).
    """
    organisation_id = _for_organisation(actor, role)
    if actor.level < _LEVEL:
        raise level_too_low(actor, _LEVEL)
    now = clock.now()
    offered = OrganisationRole(
        organisation_id=organisation_id,
        person_lookup=people.document_lookup(document),
        person_name=normalise_name(name),
        role=role,
        scope=scope,
        scope_values=sorted(scope_values),
        actions=sorted(actions),
        valid_from=now,
        valid_until=rules.appointment_end(now, valid_until),
        state=RoleState.OFFERED,
        appointed_by=actor.subject_id,
        created_at=now,
        offer_until=now + POLICY.offer_valid,
    )
    _drop_lapsed(session, offered, now)
    session.add(offered)
    session.flush()
    _write(session, actor, offered, None)
    return offered.id


def _for_organisation(actor: Citizen, role: Role) -> UUID:
    if actor.acting is None or actor.on_behalf_of is None or not actor.acting.for_organisation:
        raise DelegationOutOfScope()
    given = {Capacity.LEGAL_REPRESENTATIVE: Role.LEGAL_REPRESENTATIVE, Capacity.ADMINISTRATOR: Role.ADMINISTRATOR}
    own = given.get(actor.acting.capacity)
    if own is None or role not in APPOINTS[own]:
        raise DelegationOutOfScope()
    return actor.on_behalf_of


def _drop_lapsed(session: Session, wanted: OrganisationRole, now: datetime) -> None:
    """End an old offer or role of the same kind that has run out; one that still counts is a conflict."""
    query = select(OrganisationRole).where(
        OrganisationRole.organisation_id == wanted.organisation_id,
        OrganisationRole.person_lookup == wanted.person_lookup,
        OrganisationRole.role == wanted.role,
        OrganisationRole.state.in_((RoleState.ACTIVE, RoleState.OFFERED)),
    )
    for old in session.scalars(query.with_for_update()):
        until = old.offer_until if old.state == RoleState.OFFERED else old.valid_until
        if until is None or until > now:
            raise StateConflict()
        _end(session, _REGISTRY, old, EndReason.DISMISSED)
    session.flush()


def answer(session: Session, *, actor: Citizen, role_id: UUID, accept: bool) -> UUID:
    """The person accepts or declines the role offered to them. Raises `NotFound`, `RoleLimit`, `GuardianRequired`."""
    now = clock.now()
    own = people.person(session, actor.subject_id)
    document = people.document(session, actor.subject_id)
    role = session.scalar(select(OrganisationRole).where(OrganisationRole.id == role_id).with_for_update())
    mine = role is not None and document is not None and role.person_lookup == people.document_lookup(document)
    if not mine or role is None or role.offer_until is None or role.offer_until <= now:
        raise NotFound()
    if name_key(own.name or "") != name_key(role.person_name):
        raise NotFound()
    if not accept:
        _move(session, actor, role, RoleState.DECLINED)
        return role.id
    if delegation.own_act(own.birth_date, now) is not OwnAct.FREE:
        raise GuardianRequired()
    accounts.lock(session, actor.subject_id)
    if _organisations_of(session, actor.subject_id, now) >= POLICY.organisations_per_handler:
        raise RoleLimit(limit=POLICY.organisations_per_handler)
    role.person_id, role.valid_from = actor.subject_id, now
    _move(session, actor, role, RoleState.ACTIVE)
    events.publish(session, RoleBegun(role.id, role.organisation_id, actor.subject_id))
    return role.id


def _organisations_of(session: Session, subject_id: UUID, now: datetime) -> int:
    query = select(func.count(OrganisationRole.organisation_id.distinct())).where(
        OrganisationRole.person_id == subject_id,
        OrganisationRole.state == RoleState.ACTIVE,
        OrganisationRole.valid_until > now,
    )
    return session.scalar(query) or 0


def people_of(session: Session, *, actor: Citizen) -> Sequence[RoleView]:
    """Everybody who acts for the organisation that the actor represents or administers. Raises `DelegationOutOfScope`."""
    return queries.roles_of_organisation(session, _for_organisation(actor, Role.HANDLER))


def dismiss(session: Session, *, actor: Citizen, role_id: UUID) -> None:
    """End somebody's role at once: by who may appoint it, acting for the organisation, or by its holder. Raises `NotFound`."""
    role = session.scalar(select(OrganisationRole).where(OrganisationRole.id == role_id).with_for_update())
    if role is None:
        raise NotFound()
    if actor.on_behalf_of is None and role.person_id == actor.subject_id:
        _end(session, actor, role, EndReason.RESIGNED)
        return
    if actor.on_behalf_of != role.organisation_id:
        raise NotFound()
    _for_organisation(actor, Role(role.role))
    _end(session, actor, role, EndReason.DISMISSED)


def resign(session: Session, *, actor: Actor, role: OrganisationRole) -> None:
    """A locked role ends because its holder is gone; one that is over stays as it is."""
    if RoleState(role.state) in (RoleState.OFFERED, RoleState.ACTIVE):
        _end(session, actor, role, EndReason.RESIGNED)


# What is written down ------------------------------------------------------------------------------------------------


def _end(session: Session, actor: Actor, role: OrganisationRole, reason: EndReason) -> None:
    was = role.state
    role.end_reason, role.ended_at = reason, clock.now()
    _move(session, actor, role, RoleState.ENDED, note=reason.value)
    if was == RoleState.ACTIVE and role.person_id is not None:
        events.publish(session, RoleEnded(role.id, role.organisation_id, role.person_id))


def _move(session: Session, actor: Actor, role: OrganisationRole, to: RoleState, note: str = "") -> None:
    before = RoleState(role.state)
    rules.check_move(before, to)
    role.state = to
    session.flush()
    _write(session, actor, role, before, note)


def _write(session: Session, actor: Actor, role: OrganisationRole, before: RoleState | None, note: str = "") -> None:
    session.add(
        OrganisationRoleEvent(
            role_id=role.id,
            from_state=before,
            to_state=role.state,
            at=clock.now(),
            actor=actor.audit_id,
            note=note,
        )
    )
    audit.record(
        session,
        actor=actor,
        action=f"organisation.role_{role.state.lower()}",
        object_type="organisation_role",
        object_id=role.id,
        before={"state": before} if before else None,
        after={"state": role.state},
        organisation=str(role.organisation_id),
        role=str(role.role),
        reason=note or None,
    )


def _representative(session: Session, organisation_id: UUID) -> OrganisationRole | None:
    return session.scalar(
        select(OrganisationRole).where(
            OrganisationRole.organisation_id == organisation_id,
            OrganisationRole.role == Role.LEGAL_REPRESENTATIVE,
            OrganisationRole.state == RoleState.ACTIVE,
        )
    )


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's roles are the kept one's; it had proven no document, so there can be none twice."""
    for column in (OrganisationRole.person_id, OrganisationRole.appointed_by):
        session.execute(update(OrganisationRole).where(column == event.absorbed).values({column.key: event.kept}))
