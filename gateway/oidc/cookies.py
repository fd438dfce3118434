"""The one cookie of the provider: which browser this is (`auth.oidc.browser`)."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.wrappers import Response

from auth.oidc.browser.rules import cookie_name


def _secure() -> bool:
    return str(current_app.config["PUBLIC_URL"]).startswith("https://")


def browser_cookie() -> str | None:
    """What the browser sent."""
    return request.cookies.get(cookie_name(secure=_secure()))


def remember(response: Response, cookie: str) -> None:
    """Give the browser its cookie: for this host alone, unreadable to scripts, gone when the browser closes."""
    response.set_cookie(
        cookie_name(secure=_secure()), cookie, path="/", secure=_secure(), httponly=True, samesite="Lax"
    )


def forget(response: Response) -> None:
    """Take the cookie away, and what a shared device may have kept of our pages."""
    response.delete_cookie(cookie_name(secure=_secure()), path="/", secure=_secure(), httponly=True, samesite="Lax")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def gives(response: Response) -> bool:
    """Whether this answer gives the browser another cookie."""
    name = cookie_name(secure=_secure())
    return any(given.startswith(f"{name}=") for given in response.headers.getlist("Set-Cookie"))
