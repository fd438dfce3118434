"""A daily look whether the next year is published."""

from __future__ import annotations

import structlog

from casework.calendars import rules
from core import calendar, clock, jobs
from core.db import transaction

_log = structlog.get_logger()


@jobs.every("15 1 * * *", "calendars.watch")
def watch() -> None:
    """At 09:15 in Shanghai: a warning in the log each day until the missing year is published (K-10)."""
    with transaction() as session:
        missing = rules.missing_year(clock.today(), calendar.load(session))
    if missing is not None:
        _log.warning("calendar.missing", year=missing)
