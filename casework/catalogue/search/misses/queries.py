"""Reading what found nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.catalogue.search.misses.models import SearchMiss


@dataclass(frozen=True, slots=True)
class Miss:
    """A text, how often it found nothing, and when last."""

    text: str
    times: int
    last_day: date


def most_missed(session: Session, *, since: date, limit: int) -> list[Miss]:
    """What was looked for in vain most often since a day."""
    times = func.sum(SearchMiss.times)
    rows = session.execute(
        select(SearchMiss.text, times.label("times"), func.max(SearchMiss.day).label("last_day"))
        .where(SearchMiss.day >= since)
        .group_by(SearchMiss.text)
        .order_by(times.desc(), SearchMiss.text)
        .limit(limit)
    )
    return [Miss(row.text, int(row.times), row.last_day) for row in rows]
