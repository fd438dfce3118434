"""Counting what found nothing."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import Session

from casework.catalogue.search.misses.models import SearchMiss
from casework.catalogue.search.misses.rules import keepable

MOST_A_DAY = 2_000
"""Different texts of one day; what comes after them isn't kept, so that nobody can fill the table."""
KEPT_DAYS = 90


def note(session: Session, *, typed: str, day: date) -> None:
    """Count a search in vain, unless what was typed may be personal (see `rules.keepable`)."""
    text = keepable(typed)
    if text is None:
        return
    so_far = select(func.count()).where(SearchMiss.day == day).scalar_subquery()
    row = select(literal(day), literal(text), literal(1)).where(so_far < MOST_A_DAY)
    write = pg.insert(SearchMiss).from_select(["day", "text", "times"], row)
    session.execute(write.on_conflict_do_update(index_elements=["day", "text"], set_={"times": SearchMiss.times + 1}))


def forget(session: Session, *, day: date) -> None:
    """Delete what is older than `KEPT_DAYS` on `day`."""
    session.execute(delete(SearchMiss).where(SearchMiss.day < day - timedelta(days=KEPT_DAYS)))
