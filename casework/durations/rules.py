"""What is told of how long cases took. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DurationPolicy:
    """Over how many natural days back, and of how many cases at least, something is told [D]."""

    window_days: int = 180
    min_cases: int = 10


POLICY = DurationPolicy()


class Group(NamedTuple):
    """The cases of an item; those of one hall, or of all (None)."""

    item_id: str
    hall_id: UUID | None


@dataclass(frozen=True, slots=True)
class Measured:
    """How long cases took: half of them at most `p50` working days, nine in ten at most `p90`; None: too few to tell."""

    cases: int
    p50: int | None
    p90: int | None


@dataclass(frozen=True, slots=True)
class ItemMeasured:
    """An item over all halls, and each hall with enough cases; decided from `since` on."""

    overall: Measured
    halls: Mapping[UUID, Measured]
    since: date


def percentile(counts: Mapping[int, int], percent: int) -> int:
    """The least value that at least `percent` of the cases don't exceed (nearest rank); `counts` by value, not empty."""
    needed = -(-sum(counts.values()) * percent // 100)
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= needed:
            break
    return value


def measure(counts: Mapping[int, int], policy: DurationPolicy = POLICY) -> Measured:
    """What is told of cases that took so many working days so many times."""
    cases = sum(counts.values())
    if cases < policy.min_cases:
        return Measured(cases, None, None)
    return Measured(cases, percentile(counts, 50), percentile(counts, 90))


def text(measured: Measured | None, language: str, policy: DurationPolicy = POLICY) -> str:
    """For people."""
    if measured is None or measured.p50 is None:
        if language == "en":
            return f"Too few cases in the last {policy.window_days} days to tell"
        return f"近{policy.window_days}天办结的件数太少，暂无法统计实际用时"
    half, most = measured.p50, measured.p90 or 0
    if language == "en":
        return (
            f"In the last {policy.window_days} days half took at most {_days(half)}, nine in ten at most {_days(most)}"
        )
    return f"近{policy.window_days}天，一半的件在{_zh(half)}内办结，九成在{_zh(most)}内办结"


def _days(count: int) -> str:
    return "the same day" if count == 0 else "1 working day" if count == 1 else f"{count} working days"


def _zh(count: int) -> str:
    return f"{count}个工作日" if count else "当日"
