"""Slots are made ahead, every night; a calendar or a closure that changed since is taken up then too (AP-4, K-9)."""

from __future__ import annotations

from datetime import timedelta

from casework.places import queries as places
from casework.slots import queries, rules, service
from core import calendar, clock, jobs
from core.db import transaction


@jobs.every("5 16 * * *", "slots.make_ahead")
def make_ahead() -> None:
    """Just after midnight in Shanghai: the days up to the horizon, one transaction for each hall."""
    now = clock.now()
    today = clock.local(now).date()
    with transaction() as session:
        halls = places.hall_ids(session)
    for hall_id in halls:
        with transaction() as session:
            last = rules.horizon(now, queries.policy(session, hall_id), calendar.load(session))
            days = [today + timedelta(days=ahead) for ahead in range(1, (last - today).days + 1)]
            zones = places.zone_codes(session, hall_id)
            service.ensure_days(session, hall_id=hall_id, zone_codes=zones, days=days)
