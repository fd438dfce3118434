"""Refusals about trips to a partner's page."""

from __future__ import annotations

from core.errors import Problem


class RedirectExpired(Problem):
    """The state is unknown, older than ten minutes, or belongs to another browser or device: not told apart."""

    code, status = "REDIRECT_EXPIRED", 410
    zh = "本次授权已失效，请返回重新开始"
    en = "This authorisation is no longer valid; please go back and start again"
