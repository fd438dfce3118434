"""How a page looks: language and size of text, chosen by the person, else by the site or the browser (DG-6)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from auth.factors.alipay.rules import opens
from core.web.request_context import language as browser_language

_COOKIE = "look"
_KEPT_SECONDS = 365 * 86_400
_LANGUAGES = ("zh", "en")
_SIZES = ("normal", "elder")
_LANGUAGE_SWITCH, _SIZE_SWITCH = "lang", "ui_mode"


@dataclass(frozen=True, slots=True)
class Look:
    """What the person wants to read. `path`: the page, for the switches, which keep the place."""

    language: str
    elder: bool
    path: str

    @property
    def switch_language(self) -> str:
        """The same page in the other language."""
        return f"{self.path}?{urlencode({_LANGUAGE_SWITCH: 'zh' if self.language == 'en' else 'en'})}"

    @property
    def switch_size(self) -> str:
        """The same page in the other size."""
        return f"{self.path}?{urlencode({_SIZE_SWITCH: 'normal' if self.elder else 'elder'})}"


def present(asked: str | None = None) -> Look:
    """How to show this page. `asked`: the language the site asked for; what the person chose goes before it."""
    language, size = _chosen()
    return Look(language or asked or browser_language(), size == "elder", request.path)


def inside_wechat() -> bool:
    """Whether the page is open in WeChat, which can't open Alipay."""
    return not opens("H5", request.user_agent.string)


def switched() -> Response | None:
    """When a switch was pressed: the same page again, and what is remembered of it. Runs before every page."""
    wanted = {name: request.args.get(name) for name in (_LANGUAGE_SWITCH, _SIZE_SWITCH)}
    if request.method != "GET" or not any(wanted.values()):
        return None
    language, size = _chosen()
    if wanted[_LANGUAGE_SWITCH] in _LANGUAGES:
        language = str(wanted[_LANGUAGE_SWITCH])
    if wanted[_SIZE_SWITCH] in _SIZES:
        size = str(wanted[_SIZE_SWITCH])
    rest = urlencode([pair for pair in request.args.items(multi=True) if pair[0] not in wanted])
    answer: Response = redirect(request.path + ("?" + rest if rest else ""), 303, Response)  # type: ignore[assignment]
    _keep(answer, language, size)
    return answer


def carry(answer: BaseResponse) -> None:
    """A site may send `ui_mode` along with its request, for whoever chose large text there: the pages keep to it."""
    size = request.values.get(_SIZE_SWITCH)
    if size in _SIZES:
        _keep(answer, _chosen()[0], size)


def _keep(answer: BaseResponse, language: str | None, size: str | None) -> None:
    answer.set_cookie(
        _COOKIE,
        f"{language or ''}.{size or 'normal'}",
        max_age=_KEPT_SECONDS,
        path="/oidc",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )


def _chosen() -> tuple[str | None, str | None]:
    language, _, size = request.cookies.get(_COOKIE, "").partition(".")
    return (language if language in _LANGUAGES else None), (size if size in _SIZES else None)


def remember(look: Look) -> None:
    """Let the page of a refusal look like the page it came from."""
    g.oidc_look = look


def remembered() -> Look:
    """The look of this request."""
    found: Look | None = g.get("oidc_look")
    return found or present()
