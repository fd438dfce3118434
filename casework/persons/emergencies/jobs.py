"""The daily look at emergency look-ups that nobody reviewed in time (P-5)."""

from __future__ import annotations

import structlog

from casework.persons.emergencies import service
from core import clock, jobs
from core.db import transaction

_log = structlog.get_logger()


@jobs.every("25 1 * * *", "persons.watch_emergencies")
def watch_emergencies() -> None:
    """At 09:25 in Shanghai: tell the people concerned, and a warning in the log each day until they are reviewed."""
    with transaction() as session:
        late = service.tell_overdue(session, clock.now())
    if late:
        _log.warning("emergency_reviews.overdue", late=late)
