"""Rules of reviews (ID-5). Pure."""

from __future__ import annotations

from enum import StrEnum


class ReviewState(StrEnum):
    """`UNDECIDED`: the source was asked as often as we ask; `OVERTAKEN`: the person proved it in another way meanwhile."""

    WAITING = "WAITING"
    PASSED = "PASSED"
    FAILED = "FAILED"
    UNDECIDED = "UNDECIDED"
    OVERTAKEN = "OVERTAKEN"


TRANSITIONS: dict[ReviewState, frozenset[ReviewState]] = {
    ReviewState.WAITING: frozenset(ReviewState) - {ReviewState.WAITING},
    ReviewState.PASSED: frozenset(),
    ReviewState.FAILED: frozenset(),
    ReviewState.UNDECIDED: frozenset(),
    ReviewState.OVERTAKEN: frozenset(),
}
