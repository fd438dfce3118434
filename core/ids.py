"""Identifiers that we make: UUIDv7 keys, numbers for people (DOMAIN 2.3) and random tokens."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import threading
import time
from datetime import date
from uuid import UUID

from core.identifiers.errors import IdentifierError, Reason
from core.identifiers.folding import compact

CASE_PREFIX = "NB"
SEQUENCES_A_DAY = 1_000_000

_HALF = 1_000
_ROUNDS = 10
_TOKEN_BITS_MIN = 64
_COUNTER_BITS = 42
_TAIL_BITS = 32
_NUMBER = re.compile(r"([A-Z]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{6})([0-9])")


class _Uuid7State:
    """The last millisecond and counter handed out in this process."""

    lock = threading.Lock()
    millisecond = 0
    counter = 0


def uuid7() -> UUID:
    """A UUID version 7 (RFC 9562) that is greater than every earlier one of this process.

    48 bits of milliseconds, a 42-bit counter that starts at a random place in each millisecond, 32 random bits.
    A clock that steps back doesn't break the order: the counter goes on in the last millisecond.
    """
    now = time.time_ns() // 1_000_000
    with _Uuid7State.lock:
        if now > _Uuid7State.millisecond:
            _Uuid7State.millisecond = now
            # The top bit starts at 0, so 2⁴¹ more keys fit into a millisecond: more than can ever be made in one.
            _Uuid7State.counter = secrets.randbits(_COUNTER_BITS - 1)
        else:
            _Uuid7State.counter += 1
        millisecond, counter = _Uuid7State.millisecond, _Uuid7State.counter
    tail = int.from_bytes(os.urandom(_TAIL_BITS // 8))
    high, low = counter >> 30, counter & 0x3FFF_FFFF
    return UUID(int=millisecond << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low << 32 | tail)


def random_token(bits: int = 256) -> str:
    """An unguessable token of `bits` random bits (at least 64, a multiple of 8), URL-safe base64 without padding."""
    if bits < _TOKEN_BITS_MIN or bits % 8:
        raise ValueError("a token needs at least 64 bits, in whole bytes")
    return secrets.token_urlsafe(bits // 8)


def luhn_digit(digits: str) -> str:
    """The Luhn check digit of a string of ASCII digits."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        if position % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return str(-total % 10)


def numbered(prefix: str, day: date, sequence: int) -> str:
    """A number for people: `prefix` (two capital letters), YYMMDD, six digits, Luhn digit — 15 characters (DOMAIN 2.3).

    Raises `ValueError` for a prefix of another shape, a sequence outside 0…999,999 or a year outside 2000…2099.
    """
    if not re.fullmatch(r"[A-Z]{2}", prefix) or not 0 <= sequence < SEQUENCES_A_DAY or day.year // 100 != 20:
        raise ValueError("prefix, day or sequence outside what a number can hold")
    digits = f"{day:%y%m%d}{sequence:06d}"
    return prefix + digits + luhn_digit(digits)


def parse_numbered(prefix: str, raw: str, *, field: str = "number") -> str:
    """The canonical form of a number somebody typed, as `numbered` made it.

    Spaces, hyphens, lower case, full-width and invisible characters are forgiven. Raises `IdentifierError` for `field`:
    CHARACTERS, OTHER_KIND (another prefix: look-alikes must not be mixed), CHECKSUM, DATE.
    """
    text = compact(raw)
    parts = _NUMBER.fullmatch(text)
    if parts is None:
        raise IdentifierError(Reason.CHARACTERS if text else Reason.EMPTY, field)
    found, year, month, day, _, check = parts.groups()
    if luhn_digit(text[2:-1]) != check:
        raise IdentifierError(Reason.CHECKSUM, field)
    if found != prefix:
        raise IdentifierError(Reason.OTHER_KIND, field)
    try:
        date(2000 + int(year), int(month), int(day))
    except ValueError:
        raise IdentifierError(Reason.DATE, field) from None
    return text


def case_number(day: date, sequence: int) -> str:
    """The case number (办件编号) of DOMAIN 2.3, e.g. NB2611240000010."""
    return numbered(CASE_PREFIX, day, sequence)


def parse_case_number(raw: str, *, field: str = "number") -> str:
    """The canonical case number of what somebody typed; refusals as `parse_numbered`."""
    return parse_numbered(CASE_PREFIX, raw, field=field)


def scramble_sequence(n: int, day: date, key: bytes) -> int:
    """Where `n` (0…999,999) stands in the secret order of `day`: one to one, so no number comes twice.

    Neighbouring `n` give unrelated results, so one number doesn't tell the next (DOMAIN 3.4). A Feistel network over
    two halves of 1,000 with HMAC-SHA-256 as its round function.
    """
    if not 0 <= n < SEQUENCES_A_DAY:
        raise ValueError("the sequence must be 0…999,999")
    left, right = divmod(n, _HALF)
    for turn in range(_ROUNDS):
        mac = hmac.digest(key, f"{day:%Y%m%d}:{turn}:{right}".encode(), "sha256")
        left, right = right, (left + int.from_bytes(mac[:8])) % _HALF
    return left * _HALF + right
