"""Later work: procrastinate on the same PostgreSQL, deferred on the session's own connection.

A job exists if and only if the business write committed. It gets ids only, may run twice (so each is idempotent), and
belongs to one queue by purpose, so that a mass notice never delays a one-time code. The `maintenance` tasks here
recover jobs whose worker died and prune finished ones.

A feature declares its jobs in its own `jobs.py`:

    @jobs.task("delivery.place_order", queue="partners", retry=jobs.PARTNER_RETRY)
    def place_order(shipment_id: str) -> None: ...

and defers them by name: `jobs.defer(session, "delivery.place_order", shipment_id=str(shipment.id))`.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

import procrastinate
from procrastinate.exceptions import TaskNotFound
from procrastinate.manager import QUEUEING_LOCK_CONSTRAINT
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import clock
from core.statements import Statement

Queue = Literal["otp", "messages", "partners", "face", "bulk"]
QUEUES: tuple[Queue, ...] = ("otp", "messages", "partners", "face", "bulk")

HEARTBEAT_SECONDS = 3.0
STALLED_AFTER_SECONDS = 15
KEEP_FINISHED_HOURS = 72

log = logging.getLogger("jobs")

F = TypeVar("F", bound=Callable[..., Any])

# psycopg opens nothing until the worker opens the app: web processes defer on their session's connection only.
app = procrastinate.App(connector=procrastinate.PsycopgConnector())

PARTNER_RETRY = procrastinate.RetryStrategy(max_attempts=12, exponential_wait=2)
"""Partner calls: 2, 4, 8 … seconds, about an hour and a half in all, then the job stays failed and is alarmed."""

NO_RETRY = procrastinate.RetryStrategy(max_attempts=1)


def task(name: str, *, queue: Queue, retry: procrastinate.RetryStrategy = PARTNER_RETRY) -> Callable[[F], F]:
    """Declare the function below as the job `name` on `queue`. It is called with keyword arguments that are JSON values."""

    def register(function: F) -> F:
        @functools.wraps(function)
        def run(**arguments: Any) -> None:
            function(**arguments)

        app.task(name=name, queue=queue, retry=retry)(run)
        return function

    return register


def every(cron: str, name: str, *, queue: Queue = "bulk") -> Callable[[F], F]:
    """Run the function below on the `cron` schedule (UTC), once over all workers, as the job `name`."""

    def register(function: F) -> F:
        @functools.wraps(function)
        def run(timestamp: int) -> None:  # noqa: ARG001  # procrastinate passes the scheduled second
            function()

        app.periodic(cron=cron)(app.task(name=name, queue=queue, queueing_lock=name, retry=NO_RETRY)(run))
        return function

    return register


@dataclass(frozen=True, slots=True)
class Job:
    """A job to queue. `at`: not before this moment. `ids`: its arguments."""

    name: str
    ids: Mapping[str, str | int]
    at: datetime | None = None


def defer(
    session: Session,
    name: str,
    *,
    at: datetime | None = None,
    once: str | None = None,
    lock: str | None = None,
    **ids: str | int,
) -> bool:
    """Queue the job `name` in `session`'s transaction.

    `at`: not before this moment. `once`: while a job with this word waits, another is not queued (returns False).
    `lock`: jobs with the same word run one after the other. `ids`: the job's arguments.
    """
    row = _row(Job(name, ids, at), once, lock)
    if row["queueing_lock"] is None:
        _queue(session, [row])
        return True
    session.flush()
    try:
        with session.begin_nested():
            _queue(session, [row])
    except IntegrityError as clash:
        if _constraint(clash) == QUEUEING_LOCK_CONSTRAINT:
            return False
        raise
    return True


def defer_all(session: Session, jobs: Sequence[Job]) -> None:
    """Queue several jobs in `session`'s transaction, in one statement."""
    if jobs:
        _queue(session, [_row(job) for job in jobs])


# What procrastinate itself defers by: its own function, so that its triggers wake the workers.
_DEFER = Statement(
    text("""
        SELECT procrastinate_defer_jobs_v1(array_agg(
            ROW(queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)::procrastinate_job_to_defer_v1
        ))
        FROM jsonb_to_recordset(:jobs) AS job(
            queue_name text, task_name text, priority int, lock text, queueing_lock text, args jsonb,
            scheduled_at timestamptz
        )
    """).bindparams(bindparam("jobs", type_=JSONB))
)


def _row(job: Job, once: str | None = None, lock: str | None = None) -> dict[str, Any]:
    task = app.tasks.get(job.name)
    if task is None:
        raise TaskNotFound(f"no job is called {job.name}")
    # PostgreSQL's clock decides when a job is due, and it doesn't shift with the business clock.
    due = None if job.at is None else job.at - (clock.now() - clock.wall())
    return {
        "queue_name": task.queue,
        "task_name": job.name,
        "priority": task.priority,
        "lock": lock or task.lock,
        "queueing_lock": once or task.queueing_lock,
        "args": dict(job.ids),
        "scheduled_at": None if due is None else due.isoformat(),
    }


def _queue(session: Session, rows: list[dict[str, Any]]) -> None:
    _DEFER.rows(session, jobs=rows)


def _constraint(clash: IntegrityError) -> str | None:
    return getattr(getattr(clash.orig, "diag", None), "constraint_name", None)


@app.periodic(cron="* * * * * */15")  # the sixth field is seconds
@app.task(
    name="maintenance.recover_stalled", queue="bulk", queueing_lock="maintenance.recover_stalled", pass_context=True
)
async def recover_stalled(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Put jobs whose worker stopped beating back into their queue."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
        log.warning("stalled job goes back to its queue", extra={"job": job.id, "task": job.task_name})
        await manager.retry_job(job)


@app.periodic(cron="17 * * * *")
@app.task(
    name="maintenance.prune_finished", queue="bulk", queueing_lock="maintenance.prune_finished", pass_context=True
)
async def prune_finished(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Delete finished jobs after three days; failed ones stay for a person to see."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEEP_FINISHED_HOURS, include_failed=False, include_cancelled=True, include_aborted=True
    )
