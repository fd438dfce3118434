"""What follows a publication, and a daily look whether the next year is published."""

from __future__ import annotations

import structlog

from casework.calendars import queries, rules
from casework.catalogue.answers import service as answers
from casework.places import queries as places
from casework.slots import service as slots
from core import calendar, clock, jobs
from core.db import transaction

_log = structlog.get_logger()


@jobs.task("calendars.follow", queue="bulk")
def follow(version: int) -> None:
    """Make the bookable days that a version changed afresh, one transaction a hall (AP-4); repeating it changes nothing.

    Whoever had booked a day that became a rest day is moved the way a closed hall moves them (AP-15). Public answers
    that another process made by the old calendar after the publication are made anew as well.
    """
    calendar.forget()
    with transaction() as session:
        answers.touch(session)
        days = queries.moved_days(session, version, clock.today())
        halls = places.hall_ids(session) if days else []
    for hall_id in halls:
        with transaction() as session:
            zones = places.zone_codes(session, hall_id)
            slots.remake(session, hall_id=hall_id, zone_codes=zones, days=days)


@jobs.every("15 1 * * *", "calendars.watch")
def watch() -> None:
    """At 09:15 in Shanghai: a warning in the log each day until the missing year is published (K-10)."""
    with transaction() as session:
        missing = rules.missing_year(clock.today(), calendar.load(session))
    if missing is not None:
        _log.warning("calendar.missing", year=missing)
