"""Whom somebody may act for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from auth.delegation import queries as delegations
from auth.delegation.rules import CAPACITIES, Kind
from auth.organisations import queries as organisations
from auth.organisations import rules as role_rules
from auth.organisations.rules import RoleState
from core.actors import Capacity
from core.masking import mask_name


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody one may act for: `id` goes into X-Act-For. A person's name is masked."""

    id: UUID
    capacity: Capacity
    name: str = field(repr=False)
    organisation: bool
    actions: Sequence[str]
    scope: str
    scope_values: Sequence[str]
    valid_until: datetime | None


def whom(session: Session, subject_id: UUID, now: datetime) -> list[Whom]:
    """Everybody and every organisation that a person may act for now: by delegations, roles, and an agency's delegations."""
    roles = [role for role in organisations.roles_of_person(session, subject_id, now) if role.state is RoleState.ACTIVE]
    found = [
        Whom(
            id=role.id,
            capacity=role_rules.CAPACITIES[role.role],
            name=role.organisation,
            organisation=True,
            actions=role.actions,
            scope=role.scope,
            scope_values=role.scope_values,
            valid_until=role.valid_until,
        )
        for role in roles
    ]
    agents = {subject_id, *(role.organisation_id for role in roles)}
    held = delegations.live_of_agents(session, agents, now)
    companies = organisations.among(session, {view.row.principal_id for view in held})
    for view in held:
        organisation = view.row.principal_id in companies
        found.append(
            Whom(
                id=view.row.id,
                capacity=CAPACITIES[Kind(view.row.kind)],
                name=view.principal if organisation else mask_name(view.principal or "**"),
                organisation=organisation,
                actions=sorted(view.row.actions),
                scope=view.row.scope,
                scope_values=view.row.scope_values,
                valid_until=view.row.valid_until,
            )
        )
    return found
