"""What the clock does to pre-reviews. Every job may run twice; each row is moved in a transaction of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue.errors import ItemNotInForce
from casework.prereview import events, queries
from casework.prereview.models import FindingKind, PreReview, PreReviewFinding
from casework.prereview.record import service as record
from casework.prereview.rules import State
from core import clock, jobs, retention
from core.actors import System
from core.db import transaction

log = logging.getLogger("prereview.jobs")

_CLOCK = System("prereview-clock")
_BATCH = 500


class RowsLeft(Exception):
    """Some rows could not be moved; the others were. Fails the job, so that somebody looks."""


def _for_each(
    due: Callable[[datetime], ColumnElement[bool]], act: Callable[[Session, PreReview, datetime], None]
) -> int:
    """Run `act` on every pre-review that is due, one transaction each; on how many it ran.

    One that somebody holds waits for the next run; one that fails doesn't keep the others. Raises `RowsLeft` at the end.
    """
    last: UUID | None = None
    done = failed = 0
    while True:
        now = clock.now()
        with transaction() as session:
            query = select(PreReview.id).where(due(now)).order_by(PreReview.id).limit(_BATCH)
            found = list(session.scalars(query if last is None else query.where(PreReview.id > last)))
        for prereview_id in found:
            try:
                done += _act_on(prereview_id, due, act, now)
            except Exception as fault:
                # The exception's text may hold a row's values, which are personal data.
                log.error("pre-review %s left by a job: %s", prereview_id, type(fault).__name__)
                failed += 1
        if len(found) < _BATCH:
            break
        last = found[-1]
    if failed:
        raise RowsLeft(f"{failed} pre-reviews")
    return done


def _act_on(
    prereview_id: UUID,
    due: Callable[[datetime], ColumnElement[bool]],
    act: Callable[[Session, PreReview, datetime], None],
    now: datetime,
) -> bool:
    with transaction() as session:
        row = select(PreReview).where(PreReview.id == prereview_id, due(now)).options(queries.WITH_PAPERS)
        prereview = session.scalars(row.with_for_update(of=PreReview, skip_locked=True)).one_or_none()
        if prereview is not None:
            act(session, prereview, now)
    return prereview is not None


@jobs.every("*/5 * * * *", "prereview.release_claims")
def release_claims() -> None:
    """Claims that ran out go back to the queue (PR-3)."""
    _for_each(lambda now: (PreReview.state == State.IN_REVIEW) & (PreReview.claimed_until <= now), _release)


def _release(session: Session, prereview: PreReview, now: datetime) -> None:
    record.move(session, prereview, State.SUBMITTED, _CLOCK, events.PreReviewReleased, now=now, note="claim ran out")


@jobs.every("*/15 * * * *", "prereview.note_late")
def note_late() -> None:
    """First answers that are late become known to supervision (PR-8)."""
    noted = select(PreReviewFinding.id).where(
        PreReviewFinding.prereview_id == PreReview.id, PreReviewFinding.kind == FindingKind.LATE_FIRST_ANSWER
    )
    _for_each(
        lambda now: (
            PreReview.state.in_((State.SUBMITTED, State.IN_REVIEW))
            & (PreReview.round == 1)
            & (PreReview.answer_due_at <= now)
            & ~noted.exists()
        ),
        lambda session, prereview, _now: record.find(session, prereview, FindingKind.LATE_FIRST_ANSWER, _CLOCK),
    )


@jobs.every("10 * * * *", "prereview.expire")
def expire() -> None:
    """End what ran out of time, and what its item has left behind (PR-9)."""
    _for_each(
        lambda now: PreReview.state.in_((State.NEEDS_CHANGE, State.PASSED)) & (PreReview.expires_at <= now), _expire
    )
    left = _versions_left()
    if left:
        _for_each(
            lambda _now: PreReview.state.in_((State.SUBMITTED, State.PASSED)) & PreReview.version_id.in_(left),
            _expire_if_overtaken,
        )


def _versions_left() -> list[UUID]:
    """The item versions of waiting and passed pre-reviews that are no longer in force."""
    with transaction() as session:
        today = clock.today()
        query = select(PreReview.item_id, PreReview.version_id).distinct()
        waiting = session.execute(query.where(PreReview.state.in_((State.SUBMITTED, State.PASSED)))).all()
        return [version_id for item_id, version_id in waiting if _in_force(session, item_id, today) != version_id]


def _in_force(session: Session, item_id: str, day: date) -> UUID | None:
    try:
        return catalogue.item_in_force(session, item_id, day).version_id
    except ItemNotInForce:
        return None


def _expire_if_overtaken(session: Session, prereview: PreReview, now: datetime) -> None:
    """A passed one ends when the item asks for more or is gone; a waiting one, which can still be told, only when it is gone."""
    today = clock.local(now).date()
    if prereview.state == State.PASSED and not queries.overtaken(session, prereview, now):
        return
    if prereview.state == State.SUBMITTED and _in_force(session, prereview.item_id, today) is not None:
        return
    _expire(session, prereview, now)


def _expire(session: Session, prereview: PreReview, now: datetime) -> None:
    record.move(session, prereview, State.EXPIRED, _CLOCK, events.PreReviewExpired, now=now)
    record.tell(session, prereview)


@jobs.every("20 19 * * *", "prereview.retain")
def retain() -> None:
    """Forget abandoned drafts after 90 days and what rejected ones held after a year [D] (P-6), at 03:20 in Shanghai."""
    _forget(
        "prereview_drafts",
        lambda before: (PreReview.state == State.DRAFT) & (PreReview.updated_at < before),
        _discard,
    )
    _forget(
        "prereview_rejected",
        lambda before: (
            (PreReview.state == State.REJECTED) & PreReview.erased_at.is_(None) & (PreReview.updated_at < before)
        ),
        record.erase,
    )


def _forget(
    code: str,
    due: Callable[[datetime], ColumnElement[bool]],
    act: Callable[[Session, PreReview, datetime], None],
) -> None:
    with transaction() as session:
        before = retention.cutoff(session, code, clock.now())
    retention.note(code, _for_each(lambda _now: due(before), act), before)


def _discard(session: Session, prereview: PreReview, now: datetime) -> None:
    record.move(session, prereview, State.DISCARDED, _CLOCK, None, now=now)
    record.erase(session, prereview, now)
