"""Receiving signals. The session is given; nothing here commits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts.rules import FreezeReason
from auth.identity.persons import service as persons
from auth.identity.ports import Signal, Signals
from auth.identity.signals.models import IdentitySignal, IdentitySignalCursor
from auth.identity.signals.rules import SignalState
from core import clock, ids
from core.actors import System

SOURCE = "population-source"
_ACTOR = System("identity-signal")
_BATCH = 500


def cursor(session: Session) -> str:
    """How far the list was read; "" before the first time."""
    found = session.scalar(
        select(IdentitySignalCursor.cursor).where(IdentitySignalCursor.source == SOURCE).with_for_update()
    )
    return found or ""


def receive(session: Session, *, read_from: str, page: Signals) -> None:
    """Apply a page of the list that was read from `read_from`; nothing if another run was quicker.

    Cursor and effects are one commit, and each signal counts once, however often it comes.
    """
    if cursor(session) != read_from:
        return
    for signal in page.signals:
        _apply(session, signal)
    session.execute(
        insert(IdentitySignalCursor)
        .values(source=SOURCE, cursor=page.cursor, read_at=clock.now())
        .on_conflict_do_update(index_elements=["source"], set_={"cursor": page.cursor, "read_at": clock.now()})
    )


def _apply(session: Session, signal: Signal) -> None:
    """Freeze whose document it is (ID-12). Not its twin: of two people with one number, a clerk says who is meant."""
    if session.scalar(select(IdentitySignal.id).where(IdentitySignal.signal_no == signal.number)) is not None:
        return
    subject_id: UUID | None = people.find_by_document(session, signal.document)
    state = SignalState.UNKNOWN_HERE
    if subject_id is not None:
        frozen = persons.freeze(session, actor=_ACTOR, subject_id=subject_id, reason=FreezeReason(signal.kind.value))
        state = SignalState.APPLIED if frozen else SignalState.FROZEN_BEFORE
    session.execute(
        insert(IdentitySignal)
        .values(
            id=ids.uuid7(),
            signal_no=signal.number,
            kind=signal.kind.value,
            document_lookup=people.document_lookup(signal.document),
            subject_id=subject_id,
            happened_at=signal.at,
            received_at=clock.now(),
            state=state.value,
        )
        .on_conflict_do_nothing(index_elements=["signal_no"])
    )


def forget_unknown(session: Session, before: datetime) -> int:
    """P-6: delete a batch of signals received before `before` about people nobody here knows; how many.

    Their list is never read again from there, and who registers later is checked at the source.
    """
    old = select(IdentitySignal.id).where(text("state = 'UNKNOWN_HERE'"), IdentitySignal.received_at < before)
    gone = delete(IdentitySignal).where(IdentitySignal.id.in_(old.limit(_BATCH))).returning(IdentitySignal.id)
    return len(session.scalars(gone).all())
