"""Refusals about closing an account."""

from __future__ import annotations

from core.errors import Problem


class AccountInUse(Problem):
    """Something is still open; `open_matters` says what, each with its number and state."""

    code, status = "ACCOUNT_IN_USE", 409
    zh = "您还有 {count} 件未办结的事项，办结或撤回后才能注销账号"
    en = "{count} of your matters are still open; finish or withdraw them first"
