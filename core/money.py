"""Money (PY-2): whole fen of CNY in integers, everywhere. Yuan exist only as text on a screen or a partner's wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NewType

Fen = NewType("Fen", int)
"""An amount in fen (分, 0.01 CNY). Negative only where a function says so."""

# The exchange tables hold sixteen digits, two of them behind the point (DOMAIN 2.3, table 14).
MAX_FEN = Fen(10**16 - 1)

_YUAN = re.compile(r"(-?)([0-9]{1,14})(?:\.([0-9]{1,2}))?")


class MoneyError(ValueError):
    """Not an amount of money that we can hold."""


def fen(value: object) -> Fen:
    """`value` as an amount, checked at run time: a whole number that is no bool and no float, at most 16 digits.

    Raises `MoneyError`. A negative amount (a refund line in a ledger) is an amount.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise MoneyError("an amount is a whole number of fen")
    if abs(value) > MAX_FEN:
        raise MoneyError("the amount is out of range")
    return Fen(value)


def yuan_text(amount: Fen) -> str:
    """`amount` in yuan with two decimals: 8000 → "80.00", -5 → "-0.05"."""
    yuan, rest = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{yuan}.{rest:02d}"


def parse_yuan(text: str | Decimal, *, allow_negative: bool = False) -> Fen:
    """Yuan as written by a partner or a tariff ("80", "80.0", "80.00" or a `Decimal`), in fen.

    Raises `MoneyError` for more than two decimals, signs (minus only with `allow_negative`), exponents, separators, and
    for floats, which can't say what they mean.
    """
    if isinstance(text, Decimal):
        text = format(text, "f")
    if not isinstance(text, str):
        raise MoneyError("yuan come as text or Decimal")
    parts = _YUAN.fullmatch(text)
    if parts is None:
        raise MoneyError("yuan have at most 14 digits and two decimals")
    sign, yuan, decimals = parts.groups()
    amount = int(yuan) * 100 + int((decimals or "").ljust(2, "0"))
    if sign and not allow_negative:
        raise MoneyError("the amount can't be negative")
    return Fen(-amount if sign else amount)


def total(amounts: Iterable[Fen]) -> Fen:
    """The sum. Raises `MoneyError` when it is out of range."""
    return fen(sum(amounts))


def split(amount: Fen, weights: Sequence[int]) -> list[Fen]:
    """`amount` in parts by `weights`, in their order; the parts always add up to the amount.

    Each part is rounded down and the fen left over go one each to the parts that lost most by it, the earlier first.
    Raises `MoneyError` for a negative amount or weight, or when all weights are zero.
    """
    whole = sum(weights)
    if amount < 0 or whole <= 0 or min(weights) < 0:
        raise MoneyError("can't split a negative amount or by such weights")
    parts = [amount * weight // whole for weight in weights]
    lost_most = sorted(range(len(weights)), key=lambda i: -(amount * weights[i] % whole))
    for i in lost_most[: amount - sum(parts)]:
        parts[i] += 1
    return [Fen(part) for part in parts]
