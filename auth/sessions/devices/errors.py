"""Refusals after a disowned sign-in."""

from __future__ import annotations

from core.errors import Problem


class RebindingFrozen(Problem):
    """The person disowned a sign-in a short while ago: no other phone or WeChat account can be bound until `until`."""

    code, status = "REBINDING_FROZEN", 409
    zh = "您刚报告过非本人登录，为保护账号，暂不能更换手机号或微信。急需更换请携带身份证件到政务服务大厅窗口办理"
    en = "You reported a sign-in that wasn't yours, so no other phone or WeChat can be bound for now; a service hall can help"
