"""On which days something may begin or end. Pure."""

from __future__ import annotations

from datetime import date, timedelta

AHEAD = timedelta(days=731)
"""How far ahead a version may be published or an item may end: further is a slip of the pen [D]."""


def day_fault(day: date, today: date) -> str | None:
    """What is wrong with a day on which something is to begin or end, or None."""
    if day < today:
        return "不能早于今天 / not before today"
    if day > today + AHEAD:
        return "不能晚于两年后 / not more than two years ahead"
    return None
