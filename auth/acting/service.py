"""From a header to an actor, and from an actor and an item to yes or no."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from auth.acting.errors import OwnMatter
from auth.consent import service as consent
from auth.consent.rules import ConsentKind
from auth.delegation import queries as delegations
from auth.delegation import rules
from auth.delegation.errors import DelegationConflict, DelegationRevoked, GuardianshipDisputed
from auth.delegation.guardians import service as guardians
from auth.delegation.rules import CAPACITIES, ItemFacts, Kind, Standing, State
from auth.organisations import queries as roles
from auth.organisations import rules as role_rules
from auth.organisations import service as organisations
from auth.organisations.rules import Role, RoleState
from core import clock, security
from core.actors import Acting, Action, Capacity, Citizen, Staff
from core.db import transaction
from core.errors import DelegationOutOfScope, NotFound

# Raw and in one statement: this runs before every request that acts for another. Both halves are found by primary key.
_READ = text("""
    WITH hall AS (
        SELECT m.hall_id FROM staff_person s JOIN staff_member m ON m.id = s.staff_id
        WHERE s.subject_id = :subject AND m.active
    )
    SELECT d.id, d.kind, NULL AS role, d.principal_id, d.scope, d.scope_values, d.actions, d.state, d.valid_from,
           d.valid_until, d.born_on, p.kind AS principal_kind, p.state AS principal_state,
           (SELECT hall_id FROM hall) AS own_hall_id, NULL::timestamptz AS checked_at, FALSE AS closed,
           d.kind <> 'AGENCY' OR EXISTS (
               SELECT FROM agency_contract c
               WHERE c.agency_id = d.agent_id AND c.ended_at IS NULL AND c.valid_from <= :now AND c.valid_until > :now
           ) AS contracted
    FROM delegation d JOIN subject p ON p.id = d.principal_id
    WHERE d.id = :grant AND (d.agent_id = :subject OR EXISTS (
        SELECT FROM organisation_role r JOIN organisation o ON o.subject_id = r.organisation_id
        WHERE r.organisation_id = d.agent_id AND r.person_id = :subject AND r.state = 'ACTIVE' AND NOT o.deregistered
          AND r.valid_from <= :now AND (r.valid_until IS NULL OR r.valid_until > :now)
    ) OR EXISTS (
        SELECT FROM staff_person s JOIN staff_member m ON m.id = s.staff_id
        WHERE s.staff_id = d.agent_staff_id AND s.subject_id = :subject AND m.active AND 'PROJECT_OFFICER' = ANY (m.roles)
    ))
    UNION ALL
    SELECT r.id, NULL, r.role, r.organisation_id, r.scope, r.scope_values, r.actions, r.state, r.valid_from,
           r.valid_until, NULL, p.kind, p.state, (SELECT hall_id FROM hall), o.checked_at, o.deregistered, TRUE
    FROM organisation_role r
    JOIN organisation o ON o.subject_id = r.organisation_id
    JOIN subject p ON p.id = r.organisation_id
    WHERE r.id = :grant AND r.person_id = :subject
""")
_BORN_ON = "delegation.born_on"
# A parent is a parent at work too [D]; helping applicants is a project officer's office (DG-8).
_AT_OWN_HALL = frozenset({Capacity.GUARDIAN, Capacity.PROJECT_OFFICER})


def resolve(actor: Citizen, grant_id: UUID) -> Citizen:
    """`actor` on behalf of whom the delegation or role `grant_id` names, with what it allows now. Opens its own transactions.

    Raises `NotFound` (not the actor's, or none at all), `DelegationRevoked`, `GuardianshipDisputed`,
    `DelegationOutOfScope` (not agreed to yet), `SourceUnavailable` (the registry's word is too old and it is down).
    """
    row = _row(actor, grant_id)
    if row.checked_at is not None and role_rules.must_ask(row.checked_at, clock.now()):
        organisations.ask_again(row.principal_id, row.checked_at)
        row = _row(actor, grant_id)
    now = clock.now()
    born_on = None if row.born_on is None else date.fromisoformat(security.decrypt(bytes(row.born_on), _BORN_ON))
    match _standing(row, born_on, now):
        case Standing.ENDED:
            raise DelegationRevoked()
        case Standing.DISPUTED:
            raise GuardianshipDisputed()
        case Standing.NOT_YET:
            raise DelegationOutOfScope()
    acting = Acting(
        grant_id=row.id,
        capacity=_capacity(row),
        actions=frozenset(Action(action) for action in row.actions),
        scope=row.scope,
        scope_values=frozenset(row.scope_values),
        for_organisation=row.principal_kind == "ORGANISATION",
        own_hall_id=row.own_hall_id,
        needs_minor_consent=rules.needs_minor_consent(born_on, now),
    )
    return replace(actor, on_behalf_of=row.principal_id, acting=acting)


def _row(actor: Citizen, grant_id: UUID) -> Row[Any]:
    with transaction() as session:
        row = session.execute(_READ, {"grant": grant_id, "subject": actor.subject_id, "now": clock.now()}).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _standing(row: Row[Any], born_on: date | None, now: datetime) -> Standing:
    if row.principal_state != "ACTIVE" or row.closed or not row.contracted:
        return Standing.ENDED
    if row.role is None:
        return rules.standing(
            State(row.state), now, valid_from=row.valid_from, valid_until=row.valid_until, born_on=born_on
        )
    state = RoleState(row.state)
    if role_rules.is_live(state, now, valid_from=row.valid_from, valid_until=row.valid_until):
        return Standing.LIVE
    return Standing.NOT_YET if state is RoleState.OFFERED else Standing.ENDED


def _capacity(row: Row[Any]) -> Capacity:
    return CAPACITIES[Kind(row.kind)] if row.role is None else role_rules.CAPACITIES[Role(row.role)]


def require(
    session: Session,
    *,
    actor: Citizen,
    action: Action,
    item: ItemFacts,
    hall_id: UUID | None = None,
    born_on: date | None = None,
) -> None:
    """Whether `actor` may do `action` with `item`: called by every service that knows the item, before it acts.

    For another: the delegation must hold action and item, and the hall isn't the agent's own.
    For oneself: a minor needs a guardian's agreement for anything but looking (DG-5); `born_on` is the actor's birth date,
    where the caller has read it already. Raises `DelegationOutOfScope`,
    `DelegationConflict`, `GuardianRequired`, `ConsentRequired` (a child under 14).
    """
    if actor.on_behalf_of is None:
        if action is not Action.VIEW:
            guardians.require_own(session, subject_id=actor.subject_id, item_id=item.item_id, born_on=born_on)
        return
    acting = actor.acting
    if acting is None or action not in acting.actions or not rules.may(acting, item):
        raise DelegationOutOfScope()
    own_hall = acting.own_hall_id is not None and acting.own_hall_id == hall_id
    if own_hall and acting.capacity not in _AT_OWN_HALL and action is not Action.VIEW:
        raise DelegationConflict()
    if acting.needs_minor_consent and action is not Action.VIEW:
        consent.insist(session, actor=actor, kind=ConsentKind.MINOR)


def refuse_own(session: Session, *, actor: Staff, people: Collection[UUID | None]) -> None:
    """Whether a member of staff is none of `people`, as far as they declared who they are. Raises `OwnMatter`."""
    # Callers ask in the middle of a change that isn't whole yet.
    with session.no_autoflush:
        own = delegations.subject_of(session, actor.staff_id)
    if own is not None and own in people:
        raise OwnMatter()


def still_acts(session: Session, *, owner_id: UUID, acting_id: UUID) -> bool:
    """Whether `acting_id` may do anything for `owner_id` now; who may not any more hears nothing more (DG-1)."""
    now = clock.now()
    held = roles.live_between(session, owner_id, acting_id, now)
    return bool(held or delegations.live_between(session, owner_id, acting_id, now))


def grants(session: Session, *, owner_id: UUID, person_id: UUID) -> list[Acting]:
    """What a person may do for `owner_id` now, by delegations to the person and roles, for who stands at a counter."""
    now = clock.now()
    for_organisation = roles.credit_code(session, owner_id) is not None
    found = [
        (row.id, CAPACITIES[Kind(row.kind)], row.actions, row.scope, row.scope_values)
        for row in delegations.live_between(session, owner_id, person_id, now)
    ] + [
        (role.id, role_rules.CAPACITIES[Role(role.role)], role.actions, role.scope, role.scope_values)
        for role in roles.live_between(session, owner_id, person_id, now)
    ]
    return [
        Acting(grant_id, capacity, frozenset(map(Action, actions)), scope, frozenset(values), for_organisation)
        for grant_id, capacity, actions, scope, values in found
    ]


def receivers(session: Session, *, owner_id: UUID, acting_id: UUID | None = None) -> tuple[UUID, ...]:
    """Who is told about a matter, in this order: its owner, then who acts for the owner while that is allowed (DG-2).

    For an organisation its representative and administrators read; for a child, the guardians too.
    """
    if acting_id == owner_id:
        return (owner_id,)
    told = roles.readers(session, owner_id) or [owner_id, *_guardians(session, owner_id, clock.now())]
    if acting_id is not None and still_acts(session, owner_id=owner_id, acting_id=acting_id):
        told.append(acting_id)
    return tuple(dict.fromkeys(told))


def _guardians(session: Session, owner_id: UUID, now: datetime) -> list[UUID]:
    links = delegations.guardians_of(session, owner_id, now)
    return [row.agent_id for row in links if row.agent_id and delegations.standing(row, now) is Standing.LIVE]
