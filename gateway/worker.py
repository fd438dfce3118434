"""The worker: runs the queued jobs. One-time codes and callbacks have lanes of their own, so nothing long delays them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import procrastinate

from core import db, jobs
from core.settings import Settings
from gateway.wiring import wire

# Queue → how many of its jobs run at once in one worker process.
LANES: dict[tuple[jobs.Queue, ...], int] = {
    ("otp",): 4,
    ("messages",): 4,
    ("partners",): 4,
    ("face", "bulk"): 2,
}
GRACE_SECONDS = 20


@asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[procrastinate.App]:
    """The job application with connections of its own while the block runs."""
    connector = procrastinate.PsycopgConnector(
        conninfo=db.conninfo(database_url, "ningbo-government-worker"), min_size=1, max_size=8
    )
    with jobs.app.replace_connector(connector) as app:
        async with app.open_async():
            yield app


async def _run(settings: Settings) -> None:
    async with connected(settings.database_url) as app:
        lanes = [
            asyncio.create_task(
                app.run_worker_async(
                    queues=list(queues),
                    name="+".join(queues),
                    concurrency=concurrency,
                    fetch_job_polling_interval=2.0,
                    update_heartbeat_interval=jobs.HEARTBEAT_SECONDS,
                    stalled_worker_timeout=jobs.STALLED_AFTER_SECONDS,
                    shutdown_graceful_timeout=GRACE_SECONDS,
                    install_signal_handlers=False,
                )
            )
            for queues, concurrency in LANES.items()
        ]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: [lane.cancel() for lane in lanes])
        print("worker ready", flush=True)  # noqa: T201  # the supervisor waits for this line
        # A lane that fails takes the process down with it: the supervisor starts a whole one.
        done, rest = await asyncio.wait(lanes, return_when=asyncio.FIRST_EXCEPTION)
        for lane in rest:
            lane.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for lane in done:
            if not lane.cancelled() and lane.exception() is not None:
                raise lane.exception()  # type: ignore[misc]


def run(settings: Settings) -> None:
    """Run until told to stop (SIGTERM, SIGINT), then finish what is running within 20 s."""
    wire(settings)
    asyncio.run(_run(settings))
