"""Refusals about Alipay accounts."""

from __future__ import annotations

from core.errors import Problem


class AlipayCodeInvalid(Problem):
    """Alipay doesn't take the code: unknown, too old, or used before."""

    code, status = "ALIPAY_CODE_INVALID", 401
    zh, en = "支付宝授权已失效，请重新授权", "The authorisation by Alipay has expired; please authorise again"
