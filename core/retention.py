"""How long personal data is kept (P-6): a table that the city sets, and the way every job forgets by it.

One-time codes aren't in the table: they live in Redis for minutes and go by themselves (`auth.factors`), far within
the 24 hours of P-6. Cases and payments are kept by archive rule and have no row.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, Integer, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit, clock
from core.actors import Actor, System
from core.db import Base, transaction

# A run that finds more than so many batches leaves the rest to the next one.
MOST_BATCHES = 500

_RETENTION = System("retention")


class RetentionRule(Base):
    """How many days something is kept after it is over. `code` is the job's word for it; migration 0014 fills the table."""

    __tablename__ = "retention_rule"
    __table_args__ = (CheckConstraint("days > 0", name="kept_at_all"),)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    what: Mapped[str] = mapped_column(Text)


def cutoff(session: Session, code: str, now: datetime) -> datetime:
    """What was over before this moment is to be forgotten. Raises `LookupError` for a code that the table doesn't have."""
    rule = session.get(RetentionRule, code)
    if rule is None:
        raise LookupError(f"no retention rule {code}")
    return now - timedelta(days=rule.days)


def set_days(session: Session, *, actor: Actor, code: str, days: int) -> None:
    """The city sets how long something is kept. Raises `LookupError` for an unknown code, `ValueError` for less than a day."""
    if days < 1:
        raise ValueError("nothing is kept for less than a day")
    rule = session.get(RetentionRule, code, with_for_update=True)
    if rule is None:
        raise LookupError(f"no retention rule {code}")
    before, rule.days = rule.days, days
    audit.record(
        session,
        actor=actor,
        action="retention.set",
        object_type="retention_rule",
        object_id=code,
        before={"days": before},
        after={"days": days},
        days=days,
    )


def run(code: str, forget: Callable[[Session, datetime], int]) -> int:
    """Forget batch after batch, a transaction each: `forget` gets the cutoff and says how many went. The number of all."""
    with transaction() as session:
        before = cutoff(session, code, clock.now())
    total = 0
    for _ in range(MOST_BATCHES):
        with transaction() as session:
            gone = forget(session, before)
        total += gone
        if gone == 0:
            break
    note(code, total, before)
    return total


def note(code: str, count: int, before: datetime) -> None:
    """The audit row of one run; none when nothing was due."""
    if count:
        with transaction() as session:
            audit.record(
                session,
                actor=_RETENTION,
                action="retention.forget",
                object_type="retention_rule",
                object_id=code,
                rows=count,
                cutoff=before.isoformat(timespec="seconds"),
            )
