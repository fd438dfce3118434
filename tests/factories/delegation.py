"""Delegations, guardians and organisations, made by the acts that lead there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from auth.acting import service as acting
from auth.delegation import service
from auth.delegation.guardians import service as guardians
from auth.delegation.models import Delegation
from auth.delegation.record import service as record
from auth.delegation.rules import Evidence, Kind, Scope, State
from auth.delegation.service import Wish
from auth.organisations import service as organisations
from core.actors import Action, Citizen, System
from core.db import join, transaction
from core.identifiers import DocumentNumber, DocumentType, normalise_document
from tests.factories import auth as people
from tests.sandbox_client import Sandbox

_MAKER = System("tests")
ALL = frozenset(Action)


def delegate(
    session: Session,
    principal: Citizen,
    agent: Citizen,
    *,
    items: Collection[str] = (),
    kinds: Collection[str] = (),
    actions: Collection[Action] = ALL,
    kind: Kind = Kind.MANDATE,
    **more: Any,
) -> Delegation:
    """A delegation that counts: offered, taken, and agreed to (without the level-4 proof, which has its own test)."""
    scope = Scope.ITEMS if items else Scope.KINDS if kinds else Scope.AGENT_FRIENDLY
    wish = Wish(kind, scope, [*items, *kinds], actions, **more)
    made = service.open_offer(session, actor=principal, principal_id=principal.owner_id, wish=wish)
    row = service.take(session, actor=agent, code=made.code).insist()
    record.move(session, principal, row, State.ACTIVE)
    return row


def acting_as(session: Session, agent: Citizen, grant_id: UUID) -> Citizen:
    """`agent` as a request with X-Act-For would have it."""
    with join(session):
        return acting.resolve(agent, grant_id)


def for_other(session: Session, principal: Citizen, agent: Citizen, *items: str, **more: Any) -> Citizen:
    """`agent` acting for `principal` in these items."""
    return acting_as(session, agent, delegate(session, principal, agent, items=items, **more).id)


def guardian_of(session: Session, guardian: Citizen, minor_id: UUID, born_on: date | None) -> Delegation:
    """A guardian's link."""
    return guardians.write_link(
        session,
        actor=_MAKER,
        minor_id=minor_id,
        guardian_id=guardian.subject_id,
        born_on=born_on,
        relation="PARENT",
        evidence=Evidence.STATUTORY,
    )


def persona(sandbox: Sandbox, key: str) -> dict[str, Any]:
    """One of the sandbox's people."""
    found: list[dict[str, Any]] = sandbox.get("personas.json")["personas"]
    return next(person for person in found if person["key"] == key)


def document_of(person: dict[str, Any]) -> DocumentNumber:
    """A persona's document."""
    return normalise_document(DocumentType(person["document_type"]), person["document_number"])


def signed_in(sandbox: Sandbox, key: str, *, level: int = 3) -> tuple[Citizen, dict[str, str]]:
    """A persona, signed in at a level; committed."""
    person = persona(sandbox, key)
    with transaction() as session:
        actor = people.make_citizen(session, level=level, name=person["name"], document=document_of(person))
    return actor, people.headers_for(actor)


def credit_code(sandbox: Sandbox, key: str) -> str:
    """The credit code of one of the sandbox's organisations."""
    found = sandbox.get("market-registry/organisations.json")["organisations"]
    return str(next(one for one in found if one["key"] == key)["credit_code"])


def represent(sandbox: Sandbox, actor: Citizen, key: str = "yongjiang") -> UUID:
    """Register `actor` as the organisation's representative; the role. Committed."""
    question, answer = organisations.ask(actor=actor, credit_code=credit_code(sandbox, key))
    with transaction() as session:
        return organisations.register(session, actor=actor, question=question, answer=answer)
