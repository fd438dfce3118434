"""How long a browser stays signed in. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Lifetime:
    """`idle`: from the last sign-in at a department on; `whole`: from the person's own sign-in on."""

    idle: timedelta
    whole: timedelta


# [D] A kiosk stands in a hall: whoever walks away is signed out when the next one comes (ID-9, S10).
LIFETIMES: Mapping[str, Lifetime] = MappingProxyType(
    {
        "H5": Lifetime(timedelta(minutes=30), timedelta(hours=12)),
        "KIOSK": Lifetime(timedelta(minutes=2), timedelta(minutes=2)),
    }
)
# A browser in which nobody signed in yet.
ANONYMOUS_LASTS = timedelta(hours=1)
TOUCH_EVERY = timedelta(seconds=20)


def lifetime(channel: str) -> Lifetime:
    """The lifetime of a browser signed in on `channel`; for any other channel that of a person's own browser."""
    return LIFETIMES.get(channel, LIFETIMES["H5"])


def still_signed_in(channel: str, *, auth_time: datetime, last_seen_at: datetime, now: datetime) -> bool:
    """Whether a browser that was signed in at `auth_time` still is at `now`."""
    lasts = lifetime(channel)
    return now - last_seen_at < lasts.idle and now - auth_time < lasts.whole


def cookie_name(*, secure: bool) -> str:
    """The cookie's name: bound to the host by its prefix, except on plain http in development."""
    return "__Host-sso" if secure else "sso"


def cookie_hash(value: str) -> bytes:
    """What is stored of a cookie: it has 256 random bits, so a plain hash can't be searched."""
    return hashlib.sha256(value.encode()).digest()
