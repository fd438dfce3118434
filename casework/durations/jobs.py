"""Measured every night, when the day's decisions are all there."""

from __future__ import annotations

from casework.durations import service
from core import clock, jobs
from core.db import transaction


@jobs.every("35 17 * * *", "durations.measure")
def measure() -> None:
    """At 01:35 in Shanghai."""
    with transaction() as session:
        service.measure(session, clock.today())
