"""Rules of sessions and refresh tokens (ID-9). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from core.actors import Channel


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives; `sliding`: from the last refresh on, else from the sign-in; `longest`: in all."""

    session: timedelta
    sliding: bool
    access: timedelta = timedelta(minutes=15)
    longest: timedelta | None = None


# [D] beyond the three that ID-9 names. Clerks and the hotline act for people without opening sessions for them.
LIFETIMES: Mapping[Channel, Lifetime] = MappingProxyType(
    {
        "APP": Lifetime(timedelta(days=30), sliding=True),
        "WXMP": Lifetime(timedelta(days=7), sliding=False),
        "WXOA": Lifetime(timedelta(days=7), sliding=False),
        "H5": Lifetime(timedelta(days=1), sliding=False),
        # Two idle minutes: the next person in the queue must not find anybody signed in.
        "KIOSK": Lifetime(timedelta(minutes=2), sliding=True, longest=timedelta(minutes=20)),
    }
)

# A phone that lost the answer asks again with the same token at once; later it is a copy in other hands [D].
REPEAT_WITHIN = timedelta(seconds=10)


class Method(StrEnum):
    """How somebody signed in."""

    PHONE_CODE = "PHONE_CODE"
    WECHAT = "WECHAT"
    ALIPAY = "ALIPAY"
    SCAN = "SCAN"
    CARD = "CARD"
    REFRESH = "REFRESH"


class LoginResult(StrEnum):
    """What became of it."""

    OK = "OK"
    WRONG_CODE = "WRONG_CODE"
    FROZEN = "FROZEN"
    REUSED = "REUSED"


class EndReason(StrEnum):
    """Why a session is over before its time."""

    SIGNED_OUT = "SIGNED_OUT"
    ENDED_BY_OWNER = "ENDED_BY_OWNER"
    TOKEN_REUSED = "TOKEN_REUSED"  # noqa: S105  # not a password
    FACTOR_LOST = "FACTOR_LOST"
    FROZEN = "FROZEN"
    DISOWNED = "DISOWNED"
    CLOSED = "CLOSED"


class Verdict(StrEnum):
    """What a refresh token is good for."""

    ROTATE = "ROTATE"
    REPEAT = "REPEAT"
    REUSED = "REUSED"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sign-in comes from. `device` is what the client says of itself; `language` "zh" or "en"."""

    channel: Channel
    address: str | None = None
    device: str | None = None
    language: str = "zh"


def judge_refresh(*, used_at: datetime | None, successor_unused: bool, now: datetime) -> Verdict:
    """What to do with a refresh token that is shown at `now`.

    An unused one rotates. A used one is shown again either by a phone that never got the answer, or by a thief: within
    ten seconds, while its successor is unused too, it gets a fresh successor in place of the lost one; in every other
    case the whole family ends. If a thief was the quicker one, the owner's next refresh ends the family.
    """
    if used_at is None:
        return Verdict.ROTATE
    if successor_unused and now - used_at <= REPEAT_WITHIN:
        return Verdict.REPEAT
    return Verdict.REUSED


def session_end(channel: Channel, now: datetime) -> datetime:
    """When a session opened, or slid, at `now` ends."""
    return now + LIFETIMES[channel].session


def slid_end(channel: Channel, opened: datetime, now: datetime) -> datetime:
    """When a sliding session that was opened at `opened` ends after a refresh at `now`."""
    longest = LIFETIMES[channel].longest
    end = session_end(channel, now)
    return end if longest is None else min(end, opened + longest)


def access_end(channel: Channel, now: datetime, ends: datetime) -> datetime:
    """When an access token made at `now` ends: never after its session."""
    return min(now + LIFETIMES[channel].access, ends)


def token_digest(token: str) -> bytes:
    """What is stored of a refresh token: it has 256 random bits, so a plain hash can't be searched."""
    return hashlib.sha256(token.encode()).digest()


# The sign-in history is part of the log that must be kept at least six months (2.7) [D]; a reused token of a session long
# over tells nothing any more.
KEEP_OVER = timedelta(days=30)
KEEP_HISTORY = timedelta(days=365)
