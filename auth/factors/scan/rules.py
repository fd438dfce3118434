"""Rules of codes to scan, and what is in them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.limits import Limit

LOOK_UPS_PER_PERSON = Limit("scan-look-up", 30, 600)
OFFERS_PER_ADDRESS = Limit("scan-offer", 60, 600)

# What a QR code holds: our address with the code behind it.
PATH = "/oidc/scan/"
_CODE = re.compile(r"[A-Za-z0-9_-]{20,64}")


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a code can be scanned and confirmed, and how long a confirmation waits for its browser [D]."""

    valid: timedelta = timedelta(seconds=120)
    collect_within: timedelta = timedelta(seconds=30)


POLICY = Policy()


class State(StrEnum):
    """What a browser that shows a code learns of it."""

    WAITING = "WAITING"
    SEEN = "SEEN"
    CONFIRMED = "CONFIRMED"
    REFUSED = "REFUSED"
    OVER = "OVER"


def code_in(scanned: str, *, own: str) -> str | None:
    """The code in what a phone scanned: our own address (`own` is its beginning) with a code, or the bare code."""
    code = scanned.strip().removeprefix(own + PATH)
    return code if _CODE.fullmatch(code) else None
