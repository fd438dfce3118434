"""Lifetimes, levels and acr values. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from auth.oidc.clients.rules import HIGHEST_LEVEL

# ID-7 says 60 s. An access token lives as long as nobody minds it being stolen; the session it hangs on is looked at on
# every use, so the others are upper bounds [D].
CODE_LASTS = timedelta(seconds=60)
ACCESS_LASTS = timedelta(minutes=10)
REFRESH_LASTS = timedelta(days=30)
ID_TOKEN_LASTS = timedelta(minutes=10)
KEEP_OVER = timedelta(days=30)

# What a person keeps; level 4 is a fresh proof for one act (3.7), which no sign-in is.
LASTING_LEVEL = 3
ACR_VALUES = tuple(f"level{level}" for level in range(1, LASTING_LEVEL + 1))
_ACR = re.compile(r"level([1-9])")

# Below this level a session may be that of a phone's new owner: no name, no document (ID-4).
LEVEL_FOR_NAME = 2


class TokenKind(StrEnum):
    """Kinds of tokens."""

    ACCESS = "ACCESS"
    REFRESH = "REFRESH"


class RevokeReason(StrEnum):
    """Why a grant is dead before its time."""

    CODE_REUSED = "CODE_REUSED"
    REFRESH_REUSED = "REFRESH_REUSED"
    REVOKED_BY_CLIENT = "REVOKED_BY_CLIENT"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    SIGNED_OUT = "SIGNED_OUT"


def acr(level: int) -> str:
    """The acr value of a level."""
    return f"level{level}"


def level_of(value: str) -> int | None:
    """The level that an acr value names, 1 to 4; None for any other word."""
    found = _ACR.fullmatch(value)
    return int(found[1]) if found and int(found[1]) <= HIGHEST_LEVEL else None


def level_told(proven: int, asked: Iterable[int]) -> int:
    """The level a client is told: the highest it asked for that is proven, else the proven one. Never a higher one."""
    reached = [level for level in asked if level <= proven]
    return max(reached, default=proven)


def token_hash(token: str) -> bytes:
    """What is stored of a code or token: it has 256 random bits, so a plain hash can't be searched."""
    return hashlib.sha256(token.encode()).digest()


def token_end(kind: TokenKind, now: datetime, session_ends: datetime) -> datetime:
    """When a token made at `now` ends. An access token never after its session; a session that slides takes refresh tokens along."""
    if kind is TokenKind.REFRESH:
        return now + REFRESH_LASTS
    return min(now + ACCESS_LASTS, session_ends)
