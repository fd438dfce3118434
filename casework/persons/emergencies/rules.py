"""Until when an emergency look-up is reviewed, and what can come of it (P-5). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core import clock
from core.limits import Limit
from core.workdays import Calendar, add_workdays


class Verdict(StrEnum):
    """What the review found; `OPEN` while there was none."""

    OPEN = "OPEN"
    JUSTIFIED = "JUSTIFIED"
    UNJUSTIFIED = "UNJUSTIFIED"


@dataclass(frozen=True, slots=True)
class Policy:
    """The city's choices [D]."""

    # Working days after the day of the look-up in which somebody else reviews it.
    review_workdays: int = 3


POLICY = Policy()
# An emergency is rare [D].
LOOKS = Limit("emergency-look-ups", 3, 86_400)


def due_at(looked_at: datetime, calendar: Calendar, policy: Policy = POLICY) -> datetime:
    """The end of the last day for the review, in Shanghai."""
    last = add_workdays(clock.local(looked_at).date(), policy.review_workdays, calendar)
    return clock.day_start(last + timedelta(days=1))


def verdict(justified: bool | None) -> Verdict:
    """A stored finding as one of the three."""
    if justified is None:
        return Verdict.OPEN
    return Verdict.JUSTIFIED if justified else Verdict.UNJUSTIFIED


def is_overdue(justified: bool | None, due: datetime, now: datetime) -> bool:
    """Whether nobody reviewed it in time."""
    return justified is None and now >= due
