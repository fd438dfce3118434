"""Refusals about signing in with Alipay."""

from __future__ import annotations

from core.errors import Problem


class AlipayNotHere(Problem):
    """Alipay can be opened from the App and from a browser outside WeChat only."""

    code, status = "ALIPAY_NOT_HERE", 409
    zh = "微信内无法打开支付宝，请在“宁波政务”App 或手机浏览器中使用，或选择其他方式"
    en = "Alipay can't be opened inside WeChat; use our App or your phone's browser, or choose another way"


class AlipayCancelled(Problem):
    """The person came back from Alipay without having agreed."""

    code, status = "ALIPAY_CANCELLED", 409
    zh = "您已取消支付宝授权，没有任何更改。可以重新授权，或选择其他方式"
    en = "You cancelled at Alipay and nothing was changed. Authorise again, or choose another way"
