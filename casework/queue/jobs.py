"""What the clock does with tickets: passed for good, and the end of the day."""

from __future__ import annotations

from datetime import timedelta

from casework.queue import queries, service
from casework.slots.rules import HallPolicy
from core import clock, jobs
from core.actors import System
from core.db import transaction

_BATCH = 500
_CLOCK = System("queue-clock")


@jobs.every("*/5 * * * *", "queue.void_passed")
def void_passed() -> None:
    """Numbers that nobody came back for in time are void (AP-19)."""
    moment = clock.now() - timedelta(minutes=HallPolicy().return_minutes)
    with transaction() as session:
        batch = queries.passed_before(session, moment, _BATCH)
    for ticket_id, hall_id in batch:
        with transaction() as session:
            service.void(session, actor=_CLOCK, ticket_id=ticket_id, hall_id=hall_id)


@jobs.every("0 12 * * *", "queue.close_the_day")
def close_the_day() -> None:
    """At 20:00 in Shanghai: whoever still waits is let go without a penalty; forgotten windows are closed."""
    today = clock.today()
    while True:
        with transaction() as session:
            batch = queries.left_open(session, today, _BATCH)
        for ticket_id, hall_id in batch:
            with transaction() as session:
                service.void(session, actor=_CLOCK, ticket_id=ticket_id, hall_id=hall_id)
        if len(batch) < _BATCH:
            return
