"""Cases in every state, made by the acts that lead there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from casework.cases import service
from casework.cases.queries import Case
from casework.catalogue import queries as catalogue
from core import clock, db
from core.actors import Citizen, Staff
from core.clock import SHANGHAI
from core.identifiers import DocumentNumber
from notifications.messages.models import Message

# 不动产权证书遗失补发: promised in 16 working days, by law 30, 10 yuan a certificate, delivered by courier, department D11.
ITEM = "NB-009"
DEPARTMENT = "D11"
# 离婚登记: not to be named to anybody else.
SENSITIVE_ITEM = "NB-101"


def at(day: str, hour: int = 10, minute: int = 0) -> datetime:
    """A moment in Shanghai."""
    return datetime.combine(date.fromisoformat(day), time(hour, minute), SHANGHAI)


def document_of(session: Session, actor: Citizen) -> DocumentNumber:
    """The card of `actor`."""
    found = accounts.document(session, actor.subject_id)
    assert found is not None
    return found


def received(
    session: Session, owner: Citizen, clerk: Staff, *, item_id: str = ITEM, answers: Mapping[str, str] | None = None
) -> Case:
    """One that waits for its acceptance notice."""
    return service.receive(
        session,
        actor=clerk,
        owner_id=owner.subject_id,
        acting_id=owner.subject_id,
        item=catalogue.item_in_force(session, item_id, clock.today()),
        document=document_of(session, owner),
        answers=answers or {},
    )


def accepted(session: Session, owner: Citizen, clerk: Staff, *, item_id: str = ITEM) -> Case:
    """One under review, its clocks running."""
    return service.accept(session, actor=clerk, case_id=received(session, owner, clerk, item_id=item_id).id)


def granted(session: Session, owner: Citizen, clerk: Staff, officer: Staff, *, item_id: str = ITEM) -> Case:
    """One decided in the citizen's favour."""
    case = accepted(session, owner, clerk, item_id=item_id)
    return service.decide(session, actor=officer, case_id=case.id, granted=True)


def ready(session: Session, owner: Citizen, clerk: Staff, officer: Staff, *, item_id: str = ITEM) -> Case:
    """One whose result can be collected or sent."""
    case = granted(session, owner, clerk, officer, item_id=item_id)
    service.conclude(
        session,
        actor=officer,
        case_id=case.id,
        result_name="不动产权证书",
        result_number="浙(2026)宁波市不动产权第0000001号",
    )
    return service.start_issuing(session, actor=clerk, case_id=case.id)


def row(case_id: UUID) -> Any:
    """The case as it stands in the database, ciphered columns as they are."""
    with db.transaction() as session:
        return session.execute(text("SELECT * FROM service_case WHERE id = :id"), {"id": case_id}).one()


def moves(case_id: UUID) -> list[str]:
    """The states the case went through, in order; a new due date repeats one."""
    with db.transaction() as session:
        rows = session.execute(
            text("SELECT to_state FROM case_transition WHERE case_id = :id ORDER BY id"), {"id": case_id}
        )
        return [found.to_state for found in rows]


def messages(subject_id: UUID) -> list[str]:
    """Templates of the messages a person got about cases and parcels, in order."""
    with db.transaction() as session:
        query = select(Message.template).where(Message.receiver_id == subject_id).order_by(Message.id)
        return [template for template in session.scalars(query) if template.startswith(("CASE_", "DELIVERY_"))]


def texts(subject_id: UUID) -> str:
    """Everything the messages of a person say, in order."""
    with db.transaction() as session:
        rows = session.scalars(select(Message).where(Message.receiver_id == subject_id).order_by(Message.id))
        return "\n".join(f"{found.title} {found.body} {found.fields}" for found in rows)
