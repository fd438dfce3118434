"""Proposals, and when a year is overdue. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.workdays import Calendar


class State(StrEnum):
    """What became of a proposal."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class CalendarPolicy:
    """From which day of a year on the next one is overdue: the State Council's notice comes in October or November [D]."""

    overdue_month: int = 12
    overdue_day: int = 1


POLICY = CalendarPolicy()


def missing_year(today: date, calendar: Calendar, policy: CalendarPolicy = POLICY) -> int | None:
    """The year that should be published by now and isn't: this one, or after the usual publication the next one."""
    if today.year not in calendar.published_years:
        return today.year
    overdue = (today.month, today.day) >= (policy.overdue_month, policy.overdue_day)
    return today.year + 1 if overdue and today.year + 1 not in calendar.published_years else None
