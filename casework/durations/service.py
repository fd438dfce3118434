"""Measuring."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from casework.cases import queries as cases
from casework.catalogue.answers import service as answers
from casework.durations import rules
from casework.durations.models import ItemDuration
from casework.durations.rules import DurationPolicy, Group
from core import calendar, clock, ids
from core.workdays import elapsed_workdays


def measure(session: Session, today: date, policy: DurationPolicy = rules.POLICY) -> int:
    """Measure every item over the cases decided in the window before `today`, and each of its halls; returns the rows.

    Working days from acceptance (day 0) to the decision, suspensions left out (K-2, K-5). Cases are read in pages, and
    only their counts are held.
    """
    since = today - timedelta(days=policy.window_days)
    days = calendar.load(session)
    counts: dict[Group, Counter[int]] = defaultdict(Counter)
    for case in cases.decided(session, clock.day_start(since), clock.day_start(today)):
        took = max(0, elapsed_workdays(case.accepted_on, clock.local(case.decided_at).date(), case.pauses, days))
        counts[Group(case.item_id, None)][took] += 1
        counts[Group(case.item_id, case.hall_id)][took] += 1
    rows: list[dict[str, Any]] = []
    for group, times in counts.items():
        found = rules.measure(times, policy)
        if group.hall_id is None or found.p50 is not None:
            row = {"item_id": group.item_id, "hall_id": group.hall_id, "cases": found.cases}
            rows.append(row | {"p50": found.p50, "p90": found.p90})
    _replace(session, rows, since)
    return len(rows)


def _replace(session: Session, rows: list[dict[str, Any]], since: date) -> None:
    """Make these all there is; public answers are made anew if anything but the window moved."""
    names = ("item_id", "hall_id", "cases", "p50", "p90")
    columns = [getattr(ItemDuration, name) for name in names]
    before = {tuple(row) for row in session.execute(select(*columns))}
    session.execute(delete(ItemDuration))
    if rows:
        session.execute(insert(ItemDuration), [row | {"id": ids.uuid7(), "since": since} for row in rows])
    if before != {tuple(row[name] for name in names) for row in rows}:
        answers.touch(session)
