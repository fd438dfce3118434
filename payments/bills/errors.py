"""Refusals of bills (DOMAIN 3.18)."""

from __future__ import annotations

from core.errors import Problem


class BillExpired(Problem):
    """The bill's time to pay is over (PY-6)."""

    code, status = "BILL_EXPIRED", 409
    zh, en = "缴款单已过期，不能再支付", "This bill has expired and can no longer be paid"


class BillAlreadyPaid(Problem):
    """The bill is paid, or was (PY-7)."""

    code, status = "BILL_ALREADY_PAID", 409
    zh, en = "缴款单已支付，无需重复缴费", "This bill is already paid"
