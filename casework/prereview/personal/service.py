"""Forgetting. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from casework.prereview import events, queries
from casework.prereview.models import PreReview
from casework.prereview.record import service as record_service
from casework.prereview.rules import State
from core import clock
from core.actors import System

_CLOSING = System("account-closing")


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """Drafts and passed pre-reviews end, and all forget what was filled in; those that became a case stay with it."""
    rows = session.scalars(
        select(PreReview)
        .where(PreReview.owner_id == event.subject_id, PreReview.state != State.USED, PreReview.erased_at.is_(None))
        .order_by(PreReview.id)
        .options(queries.WITH_PAPERS)
        .with_for_update(of=PreReview)
    ).all()
    now = clock.now()
    for prereview in rows:
        if prereview.state == State.DRAFT:
            record_service.move(session, prereview, State.DISCARDED, _CLOSING, None, now=now)
        elif prereview.state == State.PASSED:
            record_service.move(session, prereview, State.EXPIRED, _CLOSING, events.PreReviewExpired, now=now)
        record_service.erase(session, prereview, now)
