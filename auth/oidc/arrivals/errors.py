"""Requests that nobody may be redirected for."""

from __future__ import annotations

from core.errors import Problem


class ClientUnknown(Problem):
    """No active client has this client_id."""

    code, status = "OIDC_CLIENT_UNKNOWN", 400
    zh, en = (
        "发起登录的网站没有登记，不能使用宁波政务统一登录。请确认网址，或拨打 12345",
        "The site that sent you here is not registered for signing in with Ningbo Government. Check its address, or call 12345",
    )


class AddressUnknown(Problem):
    """The redirect_uri is missing or isn't, letter by letter, one of the client's."""

    code, status = "OIDC_ADDRESS_UNKNOWN", 400
    zh, en = (
        "发起登录的网站给出的返回地址没有登记，为了您的安全，登录已停止。请从该部门的正式网站重新进入",
        "The site that sent you here wants you back at an address that is not registered. To keep you safe we stopped."
        " Please start again from the department's own site",
    )
