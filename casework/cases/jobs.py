"""The clock's own acts: deemed acceptance (C-5), corrections that never came, recomputation after a calendar change (K-9)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from casework.cases import rules, service
from casework.cases.models import CaseCorrection, ServiceCase
from casework.cases.rules import State
from core import clock, jobs
from core.db import transaction

_BATCH = 500


@jobs.every("5 16 * * *", "cases.close_the_day")
def close_the_day() -> None:
    """Just after midnight in Shanghai: queue every case whose notice or correction is past its day."""
    today = clock.today()
    with transaction() as session:
        unnoticed = select(ServiceCase.id).where(ServiceCase.state == State.RECEIVED, ServiceCase.notice_due_on < today)
        uncorrected = select(CaseCorrection.case_id).where(
            CaseCorrection.answered_at.is_(None), CaseCorrection.expired.is_(False), CaseCorrection.due_on < today
        )
        for case_id in session.scalars(unnoticed.limit(_BATCH)):
            jobs.defer(session, "cases.deem_accepted", once=f"deem:{case_id}", case_id=str(case_id))
        for case_id in session.scalars(uncorrected.limit(_BATCH)):
            jobs.defer(session, "cases.close_without_correction", once=f"close:{case_id}", case_id=str(case_id))


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
    """K-9: the calendar changed; recompute the due date of every case whose clock runs, one transaction each."""
    last = UUID(int=0)
    while True:
        with transaction() as session:
            query = select(ServiceCase.id).where(ServiceCase.id > last, ServiceCase.state.in_(rules.CLOCK_RUNS))
            batch = list(session.scalars(query.order_by(ServiceCase.id).limit(_BATCH)))
        for case_id in batch:
            with transaction() as session:
                service.recompute(session, case_id)
        if len(batch) < _BATCH:
            return
        last = batch[-1]
