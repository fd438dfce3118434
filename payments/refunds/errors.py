"""Refusals of refunds (DOMAIN 3.18)."""

from __future__ import annotations

from core.errors import Problem


class RefundExceedsPaid(Problem):
    """More would go back than was paid and not yet given back (PY-11)."""

    code, status = "REFUND_EXCEEDS_PAID", 409
    zh, en = "退款金额超过可退金额（可退 {left} 元）", "The refund exceeds what can go back (CNY {left})"


class SamePersonApproves(Problem):
    """Whoever asked for a refund may not approve it as well."""

    code, status = "REFUND_NEEDS_SECOND_PERSON", 403
    zh, en = "申请退款的人不能自己审批，请由另一位财务人员办理", "Another member of the finance staff must approve this"
