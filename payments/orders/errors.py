"""Refusals of orders (DOMAIN 3.18)."""

from __future__ import annotations

from core.errors import Problem


class AmountMismatch(Problem):
    """A notice or query names another amount than the order's (PY-8): a person must look."""

    code, status = "AMOUNT_MISMATCH", 409
    zh, en = "支付金额与订单金额不一致", "The amount paid differs from the order's"
