"""Rules of bills: states, lines, when a bill can be paid. Pure; `now` is passed in."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from core.errors import StateConflict
from core.money import Fen, fen, total
from payments.bills.errors import BillAlreadyPaid, BillExpired

Matter = tuple[str, UUID]
"""What a bill belongs to: a kind of matter ("prereview", "case") and its id."""


class BillState(StrEnum):
    """States of a bill (3.5)."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    PAID = "PAID"
    SETTLED = "SETTLED"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"
    PART_REFUNDED = "PART_REFUNDED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


S = BillState
# From REFUNDING a bill goes back to PAID or SETTLED when every refund was rejected or failed. A part refund before the
# decision (RE-5) leaves a rest that is settled like any other.
TRANSITIONS: dict[BillState, frozenset[BillState]] = {
    S.DRAFT: frozenset({S.ISSUED}),
    S.ISSUED: frozenset({S.PAID, S.CANCELLED, S.EXPIRED}),
    S.PAID: frozenset({S.SETTLED, S.REFUNDING}),
    S.SETTLED: frozenset({S.REFUNDING}),
    S.REFUNDING: frozenset({S.REFUNDED, S.PART_REFUNDED, S.PAID, S.SETTLED}),
    S.PART_REFUNDED: frozenset({S.REFUNDING, S.SETTLED}),
    S.REFUNDED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}
MONEY_RECEIVED = frozenset({S.PAID, S.SETTLED, S.REFUNDING, S.REFUNDED, S.PART_REFUNDED})
REFUNDABLE = frozenset({S.PAID, S.SETTLED, S.REFUNDING, S.PART_REFUNDED})


@dataclass(frozen=True, slots=True)
class Policy:
    """What a city may set otherwise ([D] of PY-4 and PY-6)."""

    lifetime: timedelta = timedelta(days=30)
    # A payment of the last second is announced a little later: an unpaid bill is closed only after this wait.
    expiry_grace: timedelta = timedelta(minutes=10)
    pay_code_lifetime: timedelta = timedelta(days=3)


POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Line:
    """One fee (PY-2): its name, legal basis, version of the standard, price in fen, quantity, relief in fen and why."""

    name: str
    basis: str
    standard: str
    unit_fen: int
    quantity: int
    relief_fen: int = 0
    relief_reason: str = ""

    def __post_init__(self) -> None:
        fen(self.unit_fen)
        fen(self.relief_fen)
        if self.quantity < 1 or self.unit_fen < 0 or not 0 <= self.relief_fen <= self.unit_fen * self.quantity:
            raise ValueError("a line has a quantity, a price and at most its whole price as relief")
        if self.relief_fen and not self.relief_reason.strip():
            raise ValueError("relief needs its reason (PY-15)")

    @property
    def amount(self) -> Fen:
        """What is to be paid for this line."""
        return fen(self.unit_fen * self.quantity - self.relief_fen)


def total_of(lines: Sequence[Line]) -> Fen:
    """The sum of `lines`. Raises `ValueError` when there are none: a bill says what it is for."""
    if not lines:
        raise ValueError("a bill needs at least one line")
    return total(line.amount for line in lines)


def check_move(old: BillState, new: BillState) -> None:
    """Raise `StateConflict` unless a bill may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise StateConflict()


def check_payable(state: BillState, expires_at: datetime, now: datetime) -> None:
    """Raise `BillAlreadyPaid`, `BillExpired` or `StateConflict` unless a new payment may begin at `now` (PY-6, PY-7)."""
    if state in MONEY_RECEIVED:
        raise BillAlreadyPaid()
    if state is S.EXPIRED or (state is S.ISSUED and now >= expires_at):
        raise BillExpired()
    if state is not S.ISSUED:
        raise StateConflict()


def state_after_refunds(paid: int, refunded: int, in_flight: int, *, settled: bool) -> BillState:
    """Where a paid bill stands: `paid`, `refunded` and `in_flight` (still on their way back) in fen."""
    if in_flight:
        return S.REFUNDING
    if refunded:
        return S.REFUNDED if refunded == paid else S.PART_REFUNDED
    return S.SETTLED if settled else S.PAID


# Without the letters and digits that people mistake for one another (0 O, 1 I L, U V).
_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
_CODE_LENGTH = 16


def new_pay_code() -> str:
    """A fresh pay code (PY-4): sixteen characters, 77 random bits, written in groups of four."""
    code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_LENGTH))
    return "-".join(code[i : i + 4] for i in range(0, _CODE_LENGTH, 4))


def plain_pay_code(typed: str) -> str:
    """A pay code as it is looked up: capital letters, without the hyphens and spaces that people add or leave out."""
    return typed.upper().replace("-", "").replace(" ", "")
