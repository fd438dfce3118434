"""Refusals about real name by Alipay."""

from __future__ import annotations

from core.errors import Problem


class AlipayOtherPerson(Problem):
    """The Alipay account that agreed is not that of the person named: another's, an old name, or one without real name."""

    code, status = "ALIPAY_OTHER_PERSON", 422
    zh = (
        "支付宝账户的实名信息与所填姓名、身份证号不一致。请用您本人的支付宝授权；"
        "更过名的，请先在支付宝更新实名信息，或到政务服务大厅窗口核验"
    )
    en = (
        "This Alipay account is in another name. Use your own Alipay; after a change of name, update it in Alipay first, "
        "or have your document checked at a service hall"
    )


class AlipayComparesCardsOnly(Problem):
    """Alipay compares resident ID cards only (ID-10)."""

    code, status = "ALIPAY_COMPARES_CARDS_ONLY", 422
    zh = "支付宝实名认证只支持居民身份证，请携带证件到政务服务大厅窗口核验"
    en = "Alipay confirms resident ID cards only; have your document checked at a service hall"
