"""How long keys are published. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

KEY_BITS = 2048
CURVE = "P-256"
# A client may keep our key set for an hour (Cache-Control), so a key is published that long before it signs; and what
# it signed is valid for at most an hour after it stops.
PUBLISHED_FOR = timedelta(hours=1)
LONGEST_TOKEN = timedelta(hours=1)


class Algorithm(StrEnum):
    """What ID tokens and logout tokens are signed with: every client knows the first, some ask for the second."""

    RS256 = "RS256"
    ES256 = "ES256"


ALGORITHMS = [algorithm.value for algorithm in Algorithm]


class KeyState(StrEnum):
    """Published only; signing; published until all it signed is over."""

    NEXT = "NEXT"
    ACTIVE = "ACTIVE"
    RETIRING = "RETIRING"


def may_activate(created_at: datetime, now: datetime) -> bool:
    """Whether every client that keeps our key set has had time to see a key made at `created_at`."""
    return now - created_at >= PUBLISHED_FOR


def leaves_at(now: datetime) -> datetime:
    """When a key that stops signing at `now` may leave the key set."""
    return now + LONGEST_TOKEN + PUBLISHED_FOR
