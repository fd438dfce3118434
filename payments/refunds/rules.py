"""Rules of refunds: states, what may go back, who must agree. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.errors import StateConflict
from core.money import Fen, yuan_text
from payments.orders.rules import Surplus
from payments.refunds.errors import RefundExceedsPaid


class RefundState(StrEnum):
    """States of a refund (3.5)."""

    REFUND_APPLIED = "REFUND_APPLIED"
    FINANCE_APPROVED = "FINANCE_APPROVED"
    REFUND_SENT = "REFUND_SENT"
    REFUNDED = "REFUNDED"
    REFUND_FAILED = "REFUND_FAILED"
    REFUND_REJECTED = "REFUND_REJECTED"


S = RefundState
TRANSITIONS: dict[RefundState, frozenset[RefundState]] = {
    S.REFUND_APPLIED: frozenset({S.FINANCE_APPROVED, S.REFUND_SENT, S.REFUND_REJECTED}),
    S.FINANCE_APPROVED: frozenset({S.REFUND_SENT}),
    S.REFUND_SENT: frozenset({S.REFUNDED, S.REFUND_FAILED}),
    # A person has found out why and sends it again.
    S.REFUND_FAILED: frozenset({S.REFUND_SENT}),
    S.REFUNDED: frozenset(),
    S.REFUND_REJECTED: frozenset(),
}
IN_FLIGHT = frozenset({S.REFUND_APPLIED, S.FINANCE_APPROVED, S.REFUND_SENT})
COUNTED = IN_FLIGHT | {S.REFUNDED}
"""States whose amount is given away: PY-11 counts them against what was paid."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a city may set otherwise ([D] of PY-10)."""

    # Payees whose money lies in the treasury once the bill is settled.
    treasury_payees: frozenset[str] = frozenset({"财政非税账户"})
    approval_workdays: int = 15
    # A refund that is still under way after this long is sent again; its number makes that harmless.
    resend_after: timedelta = timedelta(hours=2)


POLICY = Policy()

SURPLUS_REASONS = {
    Surplus.DUPLICATE: "重复支付，多付的款项自动退回",
    Surplus.LATE: "缴款单已过期，迟到的款项自动退回",
    Surplus.CANCELLED: "缴款单已取消，款项自动退回",
    Surplus.CLOSED: "该支付订单已关闭，款项自动退回",
}


def check_move(old: RefundState, new: RefundState) -> None:
    """Raise `StateConflict` unless a refund may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise StateConflict()


def check_amount(amount: int, *, paid: int, given_away: int) -> None:
    """Raise `RefundExceedsPaid` unless `amount` (fen) is more than zero and within what is left of `paid` (PY-11)."""
    if not 0 < amount <= paid - given_away:
        raise RefundExceedsPaid(left=yuan_text(Fen(paid - given_away)))


def needs_approval(payee: str, *, settled: bool) -> bool:
    """Whether the finance bureau must approve first: the money is non-tax revenue and was remitted (PY-10)."""
    return settled and payee in POLICY.treasury_payees
