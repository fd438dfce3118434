"""Rules about subjects and their bindings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class SubjectState(StrEnum):
    """`MERGED`: turned out to be another subject, which holds everything now. `CLOSED`: nobody signs in to it again (P-4)."""

    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"
    MERGED = "MERGED"
    CLOSED = "CLOSED"


class FreezeReason(StrEnum):
    """Why a subject may not go on (ID-12): `CANCELLED` is the number of the document."""

    DEATH = "DEATH"
    INCAPACITY = "INCAPACITY"
    CANCELLED = "CANCELLED"
    FRAUD = "FRAUD"


TRANSITIONS: dict[SubjectState, frozenset[SubjectState]] = {
    SubjectState.ACTIVE: frozenset({SubjectState.FROZEN, SubjectState.MERGED, SubjectState.CLOSED}),
    SubjectState.FROZEN: frozenset({SubjectState.ACTIVE}),
    SubjectState.MERGED: frozenset(),
    SubjectState.CLOSED: frozenset(),
}


class EndReason(StrEnum):
    """Why a phone or WeChat account no longer belongs to a subject."""

    DORMANT = "DORMANT"
    TAKEN = "TAKEN"
    REPLACED = "REPLACED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Policy:
    """Periods that the city may set otherwise."""

    # Operators give a number to somebody else 90 days after it was given up: an unused one may have changed hands [D].
    phone_dormant_after: timedelta = timedelta(days=90)


POLICY = Policy()


def sources(wanted: SubjectState) -> list[SubjectState]:
    """The states from which a subject may go to `wanted`."""
    return [state for state, reachable in TRANSITIONS.items() if wanted in reachable]


def is_dormant(confirmed_at: datetime, now: datetime, policy: Policy = POLICY) -> bool:
    """Whether a phone was last proven so long ago that it may have a new owner (ID-4)."""
    return now - confirmed_at > policy.phone_dormant_after
