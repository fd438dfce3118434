"""Refusals of the bridge."""

from __future__ import annotations

from core.errors import Problem


class TargetNotAllowed(Problem):
    """The address is not on the client's list (ID-8)."""

    code, status = "TARGET_NOT_ALLOWED", 422
    zh, en = "该地址不在允许跳转的范围内", "This address is not on the list of allowed targets"
