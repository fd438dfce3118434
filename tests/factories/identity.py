"""Proving documents without asking anybody: answers of the source as a test wants them."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.identity import queries, service
from auth.identity.models import IdentityEvidence
from auth.identity.ports import Check, CheckResult
from auth.identity.rules import EvidenceType, Purpose, Result
from auth.identity.service import Answer, Outcome
from core import clock, ids
from core.actors import Citizen, Staff
from core.db import transaction
from core.identifiers import DocumentNumber
from tests.factories import auth as make

CLERK = Staff(uuid4(), uuid4(), frozenset({"FRONT_CLERK"}), uuid4())


def answer(
    card: DocumentNumber,
    result: CheckResult = CheckResult.MATCH,
    *,
    name: str = "张三",
    valid_until: date | None = None,
) -> Answer:
    """The source's answer about `card`."""
    return Answer(name, card, Check(result, valid_until), ids.uuid7())


def prove(actor: Citizen, said: Answer) -> Outcome:
    """Record what the source said. Commits."""
    with transaction() as session:
        return service.record_answer(session, actor=actor, answer=said)


def level_of(actor: Citizen) -> int:
    """The level of the actor's session now. Raises `NotAuthenticated` when it is over."""
    return make.now_of(actor).level


def subject_of(actor: Citizen) -> UUID:
    """Whose the actor's session is now."""
    return make.now_of(actor).subject_id


def evidence(subject_id: UUID) -> list[tuple[str, str]]:
    """Kind and result of the proofs of identity of a subject, the oldest first."""
    with transaction() as session:
        rows = session.scalars(
            select(IdentityEvidence).where(IdentityEvidence.subject_id == subject_id).order_by(IdentityEvidence.id)
        )
        return [(row.type, row.result) for row in rows if row.type not in ("PHONE", "WECHAT")]


def fresh_proof(
    actor: Citizen,
    purpose: Purpose,
    card: DocumentNumber,
    *,
    kind: EvidenceType = EvidenceType.NETID,
    any_session: bool = False,
) -> UUID:
    """A fresh proof made by the actor in its session just now. Commits."""
    with transaction() as session:
        return service.record_proof(
            session,
            subject_id=actor.subject_id,
            kind=kind,
            provider="tests",
            document=card,
            result=Result.PASS,
            purpose=purpose,
            session_id=None if any_session else actor.session_id,
        )


def level_without_session(subject_id: UUID) -> int:
    """The level of a subject, whatever it is signed in with."""
    with transaction() as session:
        return queries.level(session, subject_id, clock.now())
