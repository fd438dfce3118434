"""Requests for correction and explanation."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from auth.accounts.events import SubjectsMerged
from auth.personal_data.corrections import queries, service
from auth.personal_data.corrections.models import CorrectionRequest
from auth.personal_data.corrections.rules import Kind, State
from core.audit import AuditEntry
from core.db import transaction
from core.errors import InvalidInput, NotFound, StateConflict
from notifications.messages.models import Message

pytestmark = pytest.mark.usefixtures("database")


def ask(actor: Any, kind: Kind = Kind.NAME, number: str = "") -> UUID:
    with transaction() as session:
        return service.request(session, actor=actor, kind=kind, wish="姓名中的“堃”字显示错误", matter_number=number).id


def test_a_request_goes_to_a_registrar_and_back(citizen: Callable[..., Any], staff: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    clerk, _ = staff("FRONT_CLERK")
    request_id = ask(actor)
    with transaction() as session:
        assert [row.id for row in queries.queue(session, {"limit": 20}).items] == [request_id]
        assert service.take(session, actor=clerk, request_id=request_id).state == State.TAKEN
        done = service.answer(session, actor=clerk, request_id=request_id, done=True, text="已更正")
    assert (done.state, done.answer, done.closed_at is None) == (State.DONE, "已更正", False)
    with transaction() as session:
        assert queries.queue(session, {"limit": 20}).items == []
        told = session.scalars(select(Message.title).where(Message.receiver_id == actor.subject_id)).all()
        moves = session.scalars(
            select(AuditEntry.facts["to_state"].as_string())
            .where(AuditEntry.object_id == str(request_id))
            .order_by(AuditEntry.seq)
        ).all()
    assert told == ["您的申请已有答复"]
    assert moves == ["OPEN", "TAKEN", "DONE"]


def test_what_is_wrong_lies_encrypted(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    ask(actor)
    with transaction() as session:
        raw = session.execute(text("SELECT wish FROM correction_request")).scalar_one()
    assert "堃".encode() not in bytes(raw)


def test_one_unanswered_request_of_a_kind(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    outcomes: list[str] = []

    def try_it() -> None:
        try:
            ask(actor)
            outcomes.append("made")
        except StateConflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "refused", "refused", "refused"]
    ask(actor, Kind.PHONE)
    ask(actor, Kind.EXPLAIN_DECISION, "A1")
    ask(actor, Kind.EXPLAIN_DECISION, "A2")


@pytest.mark.parametrize(("kind", "number"), [(Kind.EXPLAIN_DECISION, ""), (Kind.CASE_DATA, ""), (Kind.NAME, "A1")])
def test_a_matter_is_named_where_it_is_about_one(citizen: Callable[..., Any], kind: Kind, number: str) -> None:
    actor, _ = citizen(level=2)
    with pytest.raises(InvalidInput):
        ask(actor, kind, number)


def test_two_registrars_dont_answer_one_request(citizen: Callable[..., Any], staff: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    (first, _), (second, _) = staff("FRONT_CLERK"), staff("FRONT_CLERK")
    request_id = ask(actor)
    with transaction() as session:
        service.take(session, actor=first, request_id=request_id)
    acts: tuple[Callable[[Session], object], ...] = (
        lambda session: service.take(session, actor=second, request_id=request_id),
        lambda session: service.answer(session, actor=second, request_id=request_id, done=False, text="不予更正"),
        lambda session: service.give_back(session, actor=second, request_id=request_id),
    )
    for act in acts:
        with pytest.raises(StateConflict), transaction() as session:
            act(session)
    with transaction() as session:
        assert service.give_back(session, actor=first, request_id=request_id).taken_by is None
        service.take(session, actor=second, request_id=request_id)


def test_only_the_person_withdraws(citizen: Callable[..., Any]) -> None:
    (actor, _), (other, _) = citizen(level=2), citizen(level=2)
    request_id = ask(actor)
    for who, which in ((other, request_id), (actor, uuid4())):
        with pytest.raises(NotFound), transaction() as session:
            service.withdraw(session, actor=who, request_id=which)
    with transaction() as session:
        assert service.withdraw(session, actor=actor, request_id=request_id).state == State.WITHDRAWN
    with pytest.raises(StateConflict), transaction() as session:
        service.withdraw(session, actor=actor, request_id=request_id)


def test_requests_follow_a_merge(citizen: Callable[..., Any]) -> None:
    (kept, _), (absorbed, _) = citizen(level=2), citizen(level=2)
    for actor in (kept, absorbed):
        ask(actor)
    ask(absorbed, Kind.PHONE)
    with transaction() as session:
        service.move_owner(session, SubjectsMerged(kept.subject_id, absorbed.subject_id))
        states = session.scalars(
            select(CorrectionRequest.state).where(CorrectionRequest.subject_id == kept.subject_id)
        ).all()
    assert sorted(states) == ["OPEN", "OPEN", "WITHDRAWN"]
