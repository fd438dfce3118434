"""Refusals about checks at the network identity service."""

from __future__ import annotations

from core.errors import Problem


class NetworkCheckUnknown(Problem):
    """No such check of this session waits: it was finished, is too old, or never was."""

    code, status = "NETWORK_CHECK_UNKNOWN", 404
    zh, en = "本次网络身份认证已失效，请重新开始", "This network ID check is over; please start again"


class NetworkCheckOpen(Problem):
    """The person isn't through with the check."""

    code, status = "NETWORK_CHECK_OPEN", 409
    zh, en = "请先在国家网络身份认证App中完成认证", "Please finish the check in the network ID app first"


class NetworkPinWrong(Problem):
    """The PIN was wrong as often as the service allows."""

    code, status = "NETWORK_PIN_WRONG", 422
    zh, en = "网证口令不正确，请重新认证或选择其他方式", "The network ID PIN was wrong; try again or choose another way"


class NetworkRefused(Problem):
    """The person said no in the app."""

    code, status = "NETWORK_CHECK_REFUSED", 422
    zh, en = (
        "您已取消网络身份认证，可重新认证或选择其他方式",
        "You cancelled the check; try again or choose another way",
    )
