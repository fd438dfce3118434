"""Delegations, guardians and organisations, made by the acts that lead there; and a phone that acts for others."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient
from sqlalchemy import select
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
from core.clock import SHANGHAI
from core.db import join, transaction
from core.identifiers import DocumentNumber, DocumentType, normalise_document
from notifications.messages.models import Message
from tests.factories import auth as people
from tests.factories import prereview as papers
from tests.sandbox_client import Sandbox

API = "/api/v1"
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
# 残疾人证新办 is agent-friendly; 存量房买卖 and 社会保障卡 aren't.
FRIENDLY, OTHER, FOR_CHILD = "NB-110", "NB-002", "NB-092"
DISABLED: dict[str, Any] = {"item_id": FRIENDLY, "answers": {"needs_guardian": "no"}}
CHILD_CARD = {"item_id": FOR_CHILD, "answers": {"new_photo": "no", "minor": "yes"}}
HOUSE = {"item_id": OTHER, "answers": papers.NO_SPECIALS}

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


class Phone:
    """The calls of one person's phone, in whosever name."""

    def __init__(self, client: FlaskClient, headers: dict[str, str], act_for: object = None) -> None:
        self.client = client
        self.headers = {**headers, **({"X-Act-For": str(act_for)} if act_for else {})}

    def acting(self, grant: object) -> Phone:
        return Phone(self.client, self.headers, grant)

    def get(self, path: str, *, status: int = 200) -> Any:
        return self._checked(self.client.get(API + path, headers=self.headers), status)

    def post(self, path: str, body: Any = None, *, status: int = 200, key: str | None = None) -> Any:
        headers = {**self.headers, "Idempotency-Key": key or str(uuid4())}
        return self._checked(self.client.post(API + path, json=body, headers=headers), status)

    def _checked(self, answer: Any, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json


def told(subject: Citizen) -> list[str]:
    """The bodies of a person's messages, oldest first."""
    with transaction() as session:
        query = select(Message.body).where(Message.receiver_id == subject.subject_id).order_by(Message.id)
        return list(session.scalars(query))


def offer(phone: Phone, kind: str = "FAMILY", **more: Any) -> tuple[str, str]:
    body = {"kind": kind, "scope": "AGENT_FRIENDLY", "actions": ["SUBMIT", "CORRECT", "VIEW"], **more}
    made = phone.post("/delegations", body, status=201)
    return made["delegation"]["id"], made["code"]
