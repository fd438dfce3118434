"""Refusals of authorization requests on their way."""

from __future__ import annotations

from core.errors import Problem


class InteractionOver(Problem):
    """The sign-in is over its ten minutes, was answered already, or was begun in another browser."""

    code, status = "OIDC_INTERACTION_OVER", 410
    zh, en = (
        "本次登录已失效，请回到原网站重新登录",
        "This sign-in is over; please go back to the site you came from and start again",
    )
