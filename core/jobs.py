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
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, TypeVar

import procrastinate
from procrastinate import exceptions
from procrastinate.manager import JobManager
from sqlalchemy.orm import Session

from core import clock

Queue = Literal["otp", "messages", "partners", "face", "bulk"]
QUEUES: tuple[Queue, ...] = ("otp", "messages", "partners", "face", "bulk")

HEARTBEAT_SECONDS = 3.0
STALLED_AFTER_SECONDS = 15
KEEP_FINISHED_HOURS = 72

log = logging.getLogger("jobs")

F = TypeVar("F", bound=Callable[..., Any])

# psycopg opens nothing until the worker opens the app: web processes defer on their session's connection only.
app = procrastinate.App(connector=procrastinate.PsycopgConnector())

# Jobs are always deferred on the session's connection, which is a synchronous one, inside a worker's job as well.
_on_session = JobManager(procrastinate.SyncPsycopgConnector())

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
    options: dict[str, Any] = {}
    if at is not None:
        # PostgreSQL's clock decides when a job is due, and it doesn't shift with the business clock.
        options["schedule_at"] = at - (clock.now() - clock.wall())
    if once is not None:
        options["queueing_lock"] = once
    if lock is not None:
        options["lock"] = lock
    session.flush()
    try:
        with session.begin_nested():
            connection = session.connection().connection.driver_connection
            deferrer = app.configure_task(name, allow_unknown=False, connection=connection, **options)
            deferrer.job_manager = _on_session
            deferrer.defer(**ids)
    except exceptions.AlreadyEnqueued:
        return False
    return True


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
