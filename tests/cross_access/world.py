"""The people of the proof: owners, those meant to reach a thing, and everybody who isn't."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from flask import Flask

from auth.delegation.rules import Scope
from auth.identity.rules import Purpose
from auth.organisations import service as organisations
from auth.organisations.rules import Role
from auth.staff import roles
from core.actors import Action, Citizen, Staff
from core.db import transaction
from tests.cross_access.registry import Headers
from tests.factories import auth as people
from tests.factories import delegation as acting
from tests.factories import identity as proofs
from tests.factories.catalogue import CITY_HALL
from tests.factories.delivery import Hands
from tests.sandbox_client import Sandbox

# The department of the items used here, another one, and a hall that isn't the city's.
DEPARTMENT, ELSEWHERE = "D11", "D02"
_OTHER_ITEM = acting.FRIENDLY


@dataclass
class Owner:
    """A citizen at level 3 with a card in the pocket."""

    actor: Citizen
    headers: Headers
    document: Any


@dataclass
class World:
    """Everybody. Strangers are made once, an owner anew for each route."""

    app: Flask
    sandbox: Sandbox
    other_hall: UUID
    kept: dict[str, Any] = field(default_factory=dict)

    def owner(self, **wanted: Any) -> Owner:
        """Somebody nobody of this run has seen before."""
        document = wanted.pop("document", None) or people.resident_id()
        with transaction() as session:
            actor = people.make_citizen(session, **{"level": 3, "document": document, **wanted})
        return Owner(actor, people.headers_for(actor), document)

    def staff(
        self, *held: str, hall_id: UUID | None = CITY_HALL, department_id: str | None = DEPARTMENT
    ) -> tuple[Staff, Headers]:
        """A member of staff, the same for the same wish."""
        key = f"{sorted(held)} {hall_id} {department_id}"
        if key not in self.kept:
            with transaction() as session:
                self.kept[key] = people.make_staff(session, roles=held, hall_id=hall_id, department_id=department_id)
        found: tuple[Staff, Headers] = self.kept[key]
        return found

    @cached_property
    def clerk(self) -> tuple[Staff, Headers]:
        return self.staff(roles.FRONT_CLERK)

    @cached_property
    def second(self) -> tuple[Staff, Headers]:
        with transaction() as session:
            return people.make_staff(session, roles=[roles.FRONT_CLERK], hall_id=CITY_HALL, department_id=DEPARTMENT)

    @cached_property
    def officer(self) -> tuple[Staff, Headers]:
        return self.staff(roles.BACK_OFFICER)

    @cached_property
    def stranger(self) -> Owner:
        return self.owner(name="李四")

    @cached_property
    def company(self) -> Citizen:
        """A company's representative, acting for it."""
        boss, _ = acting.signed_in(self.sandbox, "zhang-wei")
        role_id = acting.represent(self.sandbox, boss)
        with transaction() as session:
            return acting.acting_as(session, boss, role_id)

    @cached_property
    def foreign_grant(self) -> UUID:
        """A delegation between two others."""
        principal, agent = self.owner(), self.owner()
        with transaction() as session:
            return acting.delegate(session, principal.actor, agent.actor, items=[_OTHER_ITEM]).id

    def hands(self, owner: Owner) -> Hands:
        """Who a parcel passes through."""
        return Hands(owner.actor, self.clerk[0], self.second[0], self.officer[0])

    def role_of(self, owner: Owner, name: str) -> UUID:
        """A role in the company, offered to the owner."""
        with transaction() as session:
            return organisations.appoint(
                session,
                actor=self.company,
                name=name,
                document=owner.document,
                role=Role.HANDLER,
                scope=Scope.ITEMS,
                scope_values=["NB-041"],
                actions=list(Action),
                valid_until=None,
            )

    def agent_out_of_scope(self, owner: Owner) -> Headers:
        """Somebody who may do everything for the owner, in another item."""
        agent = self.owner(name="周理")
        with transaction() as session:
            grant = acting.delegate(session, owner.actor, agent.actor, items=[_OTHER_ITEM]).id
        return {**agent.headers, "X-Act-For": str(grant)}

    def citizens_without(self, purpose: str) -> dict[str, Headers]:
        """Callers of a citizen's route who aren't its owner."""
        if purpose and purpose not in self.kept:
            self.kept[purpose] = True
            proofs.fresh_proof(self.stranger.actor, Purpose(purpose), self.stranger.document)
        stranger = self.stranger.headers
        return {
            "anonymous": {},
            "another citizen": stranger,
            "agent of nobody": {**stranger, "X-Act-For": str(uuid4())},
            "agent by a foreign delegation": {**stranger, "X-Act-For": str(self.foreign_grant)},
            "a clerk on a citizen's route": self.clerk[1],
            "a token that never was": {"Authorization": "Bearer " + "x" * 43},
        }

    def staff_without(self, allowed: Iterable[str], *, bounded: bool) -> dict[str, Headers]:
        """Callers of a staff route who aren't meant to reach the object."""
        held = frozenset(allowed)
        found: dict[str, Headers] = {
            "anonymous": {},
            "a citizen on a staff route": self.stranger.headers,
            "a token that never was": {"Authorization": "Bearer " + "x" * 43},
        }
        if not held:
            # One's own account: every colleague is a stranger.
            return found
        rest = roles.ALL - held
        found["every other office"] = self.staff(*(rest - roles.SEPARATED))[1]
        found |= {f"{one} without the role": self.staff(one)[1] for one in rest & roles.SEPARATED}
        if bounded:
            for role in held - {roles.SUPERVISOR}:
                found[f"{role} elsewhere"] = self.staff(role, hall_id=self.other_hall, department_id=ELSEWHERE)[1]
                found[f"{role} of no hall"] = self.staff(role, hall_id=None, department_id=None)[1]
        return found
