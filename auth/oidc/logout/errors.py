"""Refusals of signing out."""

from __future__ import annotations

from core.errors import Problem


class SignOutRefused(Problem):
    """The site's request to sign out is wrong: unknown site, foreign ID token, or an address it didn't register."""

    code, status = "OIDC_SIGN_OUT_REFUSED", 400
    zh, en = (
        "网站发来的退出登录请求有误，请在原网站重新操作",
        "The site's request to sign out is wrong; please try again from the site",
    )
