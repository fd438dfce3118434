"""Asking, taking, answering. The session is given; nothing here commits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed, SubjectsMerged
from auth.personal_data.corrections import rules
from auth.personal_data.corrections.events import CorrectionAnswered
from auth.personal_data.corrections.models import CorrectionRequest
from auth.personal_data.corrections.rules import UNANSWERED, Kind, State
from core import audit, clock, events, ids
from core.actors import Actor, Citizen, Staff
from core.errors import InvalidInput, NotFound, StateConflict


def request(session: Session, *, actor: Citizen, kind: Kind, wish: str, matter_number: str = "") -> CorrectionRequest:
    """Ask for a correction or an explanation. Raises `InvalidInput`, and `StateConflict` while one like it is unanswered."""
    if (kind in rules.ABOUT_A_MATTER) != bool(matter_number):
        raise InvalidInput(fields={"matter_number": ["请填写（且仅在此类申请中填写）办件编号 / the case it is about"]})
    now = clock.now()
    made = session.scalar(
        insert(CorrectionRequest)
        .values(
            id=ids.uuid7(),
            subject_id=actor.subject_id,
            kind=kind,
            matter_number=matter_number,
            wish=wish,
            state=State.OPEN,
            created_at=now,
            due_at=now + rules.POLICY.answer_within,
        )
        .on_conflict_do_nothing()
        .returning(CorrectionRequest.id)
    )
    if made is None:
        raise StateConflict()
    found = session.get_one(CorrectionRequest, made)
    _record(session, actor, found, "correction.request", None)
    return found


def withdraw(session: Session, *, actor: Citizen, request_id: UUID) -> CorrectionRequest:
    """The person no longer wants it. Raises `NotFound`, `StateConflict`."""
    found = _locked(session, request_id)
    if found.subject_id != actor.subject_id:
        raise NotFound()
    return _move(session, actor, found, State.WITHDRAWN)


def take(session: Session, *, actor: Staff, request_id: UUID) -> CorrectionRequest:
    """A registrar looks into it: nobody else does meanwhile. Raises `NotFound`, `StateConflict`."""
    found = _locked(session, request_id)
    found.taken_by = actor.staff_id
    return _move(session, actor, found, State.TAKEN)


def give_back(session: Session, *, actor: Staff, request_id: UUID) -> CorrectionRequest:
    """The registrar who took it lets others have it. Raises `NotFound`, `StateConflict`."""
    return _move(session, actor, _taken(session, actor, request_id), State.OPEN)


def answer(session: Session, *, actor: Staff, request_id: UUID, done: bool, text: str) -> CorrectionRequest:
    """The registrar who took it answers; the correction itself is made where the data lives. Raises as `take`."""
    found = _taken(session, actor, request_id)
    found.answer = text
    _move(session, actor, found, State.DONE if done else State.REFUSED)
    events.publish(session, CorrectionAnswered(found.subject_id, found.id))
    return found


def _taken(session: Session, actor: Staff, request_id: UUID) -> CorrectionRequest:
    found = _locked(session, request_id)
    if found.taken_by != actor.staff_id:
        raise StateConflict()
    return found


def _locked(session: Session, request_id: UUID) -> CorrectionRequest:
    found = session.scalar(select(CorrectionRequest).where(CorrectionRequest.id == request_id).with_for_update())
    if found is None:
        raise NotFound()
    return found


def _move(session: Session, actor: Actor, found: CorrectionRequest, to: State) -> CorrectionRequest:
    before = State(found.state)
    rules.check_move(before, to)
    found.state = to
    if to is State.OPEN:
        found.taken_by = None
    if to not in UNANSWERED:
        found.closed_at = clock.now()
    session.flush()
    _record(session, actor, found, "correction.move", before)
    return found


def _record(session: Session, actor: Actor, found: CorrectionRequest, action: str, before: State | None) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="correction_request",
        object_id=found.id,
        before={"state": before} if before else None,
        after={"state": found.state},
        kind=str(found.kind),
        to_state=str(found.state),
    )


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """What was written in the requests is forgotten."""
    session.execute(
        update(CorrectionRequest).where(CorrectionRequest.subject_id == event.subject_id).values(wish="", answer="")
    )


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's requests are the kept one's; an unanswered one that both have stays with the kept one."""
    mine = select(CorrectionRequest.kind, CorrectionRequest.matter_number).where(
        CorrectionRequest.subject_id == event.kept, CorrectionRequest.state.in_(UNANSWERED)
    )
    for kind, number in session.execute(mine).all():
        session.execute(
            update(CorrectionRequest)
            .where(
                CorrectionRequest.subject_id == event.absorbed,
                CorrectionRequest.state.in_(UNANSWERED),
                CorrectionRequest.kind == kind,
                CorrectionRequest.matter_number == number,
            )
            .values(state=State.WITHDRAWN, closed_at=clock.now())
        )
    session.execute(
        update(CorrectionRequest).where(CorrectionRequest.subject_id == event.absorbed).values(subject_id=event.kept)
    )
