"""Limits and comparison of a look-up. Pure."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from core.identifiers import name_key
from core.limits import Limit


@dataclass(frozen=True, slots=True)
class Policy:
    """QY-2, all [D]."""

    failures_per_number: int = 5
    lock_seconds: int = 3600
    per_address: Limit = field(default_factory=lambda: Limit("progress.address", 20, 3600))


POLICY = Policy()


def matches(*, name: str, tail: str, case_name: str, case_document: str) -> bool:
    """Whether name (by its comparison key) and the last four characters of the document fit, in constant time.

    Both parts are always compared, so the time doesn't tell which was wrong.
    """
    same_name = hmac.compare_digest(name_key(name).encode(), name_key(case_name).encode())
    same_tail = hmac.compare_digest(tail.upper().encode(), case_document[-4:].upper().encode())
    return same_name & same_tail
