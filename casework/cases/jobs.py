"""The clock's own acts: deemed acceptance (C-5), corrections that never came, recomputation after a calendar change (K-9)."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from casework.cases import rules, service
from casework.cases.models import CaseCorrection, ServiceCase
from casework.cases.rules import State
from core import calendar, clock, jobs
from core.db import transaction

_BATCH = 500


@jobs.every("5 16 * * *", "cases.close_the_day")
def close_the_day() -> None:
    """Just after midnight in Shanghai: queue every case whose notice or correction is past its day."""
    today = clock.today()
    unnoticed = select(ServiceCase.id).where(ServiceCase.state == State.RECEIVED, ServiceCase.notice_due_on < today)
    uncorrected = (
        select(CaseCorrection.case_id)
        .join(ServiceCase, ServiceCase.id == CaseCorrection.case_id)
        .where(
            ServiceCase.state == State.CORRECTING,
            CaseCorrection.answered_at.is_(None),
            CaseCorrection.expired.is_(False),
            CaseCorrection.due_on < today,
        )
    )
    for case_id in _each(unnoticed, ServiceCase.id):
        _queue("cases.deem_accepted", case_id)
    for case_id in _each(uncorrected, CaseCorrection.case_id):
        _queue("cases.close_without_correction", case_id)


@jobs.task("cases.deem_accepted", queue="bulk")
def deem_accepted(case_id: str) -> None:
    """C-5 for one case."""
    with transaction() as session:
        service.deem_accepted(session, UUID(case_id), clock.today())


@jobs.task("cases.close_without_correction", queue="bulk")
def close_without_correction(case_id: str) -> None:
    """Close one case whose correction never came."""
    with transaction() as session:
        service.close_without_correction(session, UUID(case_id), clock.today())


@jobs.task("cases.recompute_open", queue="bulk")
def recompute_open() -> None:
    """K-9: the calendar changed; recompute the dates of every open case, one transaction each."""
    calendar.forget()
    for case_id in _each(select(ServiceCase.id).where(ServiceCase.state.in_(rules.RECKONED)), ServiceCase.id):
        with transaction() as session:
            service.recompute(session, case_id)


@jobs.task("cases.fix_fees", queue="bulk")
def fix_fees(case_id: str) -> None:
    """PY-12 for a bill that was paid after the decision."""
    with transaction() as session:
        service.fix_fees(session, UUID(case_id))


def _queue(name: str, case_id: UUID) -> None:
    with transaction() as session:
        jobs.defer(session, name, once=f"{name}:{case_id}", case_id=str(case_id))


def _each(query: Select[UUID], key: InstrumentedAttribute[UUID]) -> Iterator[UUID]:
    """Every id that `query` finds, read in pages, so that no transaction stays open while the work is done."""
    last = UUID(int=0)
    while True:
        with transaction() as session:
            page = session.scalars(query.where(key > last).order_by(key).limit(_BATCH)).all()
        yield from page
        if len(page) < _BATCH:
            return
        last = page[-1]
