"""Asking, calling off, carrying out. The session is given; nothing here commits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.closing import service as profile
from auth.accounts.events import SubjectsMerged
from auth.accounts.rules import SubjectState
from auth.identity import service as identity
from auth.identity.rules import Purpose
from auth.personal_data.closing import queries, rules
from auth.personal_data.closing.errors import AccountInUse
from auth.personal_data.closing.events import ClosingAsked, ClosingEnded
from auth.personal_data.closing.models import AccountClosing
from auth.personal_data.closing.rules import State
from core import audit, clock, events, ids
from core.actors import Actor, Citizen, System
from core.errors import NotFound, StateConflict

_CLOCK = System("account-closing")


def ask(session: Session, *, actor: Citizen) -> AccountClosing:
    """Ask for the account to be closed. Spends a fresh proof for this act.

    Raises `AccountInUse` with what is open, `AuthLevelTooLow` (4), and `StateConflict` when a closing runs already.
    """
    accounts.lock(session, actor.subject_id)
    matters = queries.open_matters(session, actor.subject_id)
    if matters:
        raise AccountInUse(
            count=len(matters),
            extra={
                "open_matters": [
                    {"kind": one.kind, "number": one.number, "name": one.name, "state": list(one.state)}
                    for one in matters
                ]
            },
        )
    identity.spend_fresh_proof(session, actor=actor, purpose=Purpose.CLOSE_ACCOUNT)
    now = clock.now()
    made = session.scalar(
        insert(AccountClosing)
        .values(
            id=ids.uuid7(),
            subject_id=actor.subject_id,
            state=State.COOLING,
            asked_at=now,
            effective_at=now + rules.POLICY.cooling,
        )
        .on_conflict_do_nothing(index_elements=["subject_id"], index_where=AccountClosing.state == State.COOLING)
        .returning(AccountClosing.id)
    )
    if made is None:
        raise StateConflict()
    closing = session.get_one(AccountClosing, made)
    _record(session, actor, closing, "account_closing.ask")
    events.publish(session, ClosingAsked(actor.subject_id, closing.id, closing.effective_at))
    return closing


def call_off(session: Session, *, actor: Citizen) -> None:
    """The person keeps the account. Raises `NotFound` when no closing runs."""
    closing = session.scalar(queries.cooling(actor.subject_id).with_for_update())
    if closing is None:
        raise NotFound()
    _end(session, actor, closing, State.CALLED_OFF)
    events.publish(session, ClosingEnded(closing.subject_id, closing.id, blocked=False))


def carry_out(session: Session, closing_id: UUID) -> None:
    """The time to think is over: forget the person, or give up if something was opened meanwhile; again changes nothing."""
    closing = session.scalar(
        select(AccountClosing)
        .where(AccountClosing.id == closing_id, AccountClosing.state == State.COOLING)
        .with_for_update(skip_locked=True)
    )
    if closing is None or closing.effective_at > clock.now():
        return
    frozen = people.standing(session, closing.subject_id).state is not SubjectState.ACTIVE
    if not frozen:
        accounts.lock(session, closing.subject_id)
    if frozen or queries.open_matters(session, closing.subject_id):
        _end(session, _CLOCK, closing, State.BLOCKED)
        events.publish(session, ClosingEnded(closing.subject_id, closing.id, blocked=True))
        return
    _end(session, _CLOCK, closing, State.DONE)
    profile.close(session, actor=_CLOCK, subject_id=closing.subject_id)


def _end(session: Session, actor: Actor, closing: AccountClosing, to: State) -> None:
    rules.check_move(State(closing.state), to)
    closing.state, closing.ended_at = to, clock.now()
    session.flush()
    _record(session, actor, closing, "account_closing.move")


def _record(session: Session, actor: Actor, closing: AccountClosing, action: str) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="subject",
        object_id=closing.subject_id,
        to_state=str(closing.state),
    )


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """A subject that turns out to be another person's must not take that one along: a running closing is called off."""
    session.execute(
        update(AccountClosing)
        .where(AccountClosing.subject_id.in_((event.absorbed, event.kept)), AccountClosing.state == State.COOLING)
        .values(state=State.CALLED_OFF, ended_at=clock.now())
    )
    session.execute(
        update(AccountClosing).where(AccountClosing.subject_id == event.absorbed).values(subject_id=event.kept)
    )
