"""What every page of a sign-in shares: who asks, which step it is, the form's key, the answer, and what a refusal looks like."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from auth.oidc.browser import service as browsers
from auth.oidc.browser.service import Browser, Opened
from auth.oidc.clients import queries as clients
from auth.oidc.interactions import queries, service
from auth.oidc.interactions.errors import InteractionOver
from auth.oidc.interactions.queries import Interaction
from auth.oidc.interactions.rules import LASTS
from auth.oidc.interactions.service import Finish, Step
from auth.sessions.rules import Origin
from casework.catalogue.lookups import queries as lookups
from core import clock, security
from core.actors import Channel
from core.db import transaction
from core.errors import Problem
from core.identifiers import IdentifierError
from core.web import access
from core.web.request_context import request_address
from gateway.oidc import cookies
from gateway.oidc.pages import desk as desks
from gateway.oidc.pages import look as looks
from gateway.oidc.pages.desk import Desk, Fault
from gateway.oidc.pages.look import Look
from gateway.oidc.pages.texts import text

V = TypeVar("V", bound=Callable[..., Any])
S = TypeVar("S")

blueprint = Blueprint("oidc_pages", __name__, url_prefix="/oidc")

_KEY_PURPOSE = "oidc-page"
_CHANNEL: Channel = "H5"
_WEB = frozenset({"http", "https"})
ANYBODY = "a person who is being signed in; the request belongs to the browser that began it"


class FormStale(Problem):
    """A form without the key of this browser and request: too old, or sent from elsewhere."""

    code, status = "FORM_STALE", 403
    zh, en = (
        "刚才的页面太旧了，没有做任何更改，请再操作一次",
        "The page was too old and nothing was changed; please do it once more",
    )


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is the same for every page of an application: its style, and the partners' origins that forms may lead to."""

    style: str
    leave_to: str


def fixed() -> Fixed:
    """What is the same for every page of this application."""
    found: Fixed = current_app.extensions["oidc_pages"]
    return found


@dataclass(frozen=True, slots=True)
class Site:
    """Who asks, in the words of the page."""

    name: str
    department: str


@dataclass(slots=True)
class Visit:
    """One request for a page of a sign-in. `step`: what the person has to do now."""

    interaction: Interaction
    browser: Browser
    step: Step
    look: Look
    desk: Desk
    department: str
    leave_to: str

    @property
    def here(self) -> str:
        """The address of this sign-in; its pages lie below."""
        return f"/oidc/sign-in/{self.interaction.id}"

    @property
    def holder(self) -> str:
        """The browser's secret, to which trips and codes are bound."""
        return cookies.browser_cookie() or ""

    @property
    def origin(self) -> Origin:
        """Where the person signs in from."""
        return Origin(_CHANNEL, request_address(), request.user_agent.string, self.look.language)

    def text(self, key: str, **values: object) -> str:
        """A sentence in the person's language."""
        return text(self.look.language, key, **values)

    def site(self) -> Site:
        """Who asks."""
        named = self.interaction
        return Site(named.name_en if self.look.language == "en" else named.name_zh, self.department)

    def page(self, template: str, **values: Any) -> Response:
        """The page `template`; what was wrong with what was typed at this address last is shown on it."""
        name = request.path.removeprefix(self.here).strip("/")
        mine = self.desk.fault is not None and self.desk.fault.page == name
        return render(
            template,
            self.look,
            leave_to=self.leave_to,
            site=self.site(),
            here=self.here,
            form_key=form_key(self.browser, self.interaction.id),
            fault=_shown(self.desk.fault, self.look) if mine else None,
            typed=self.desk.typed if mine else {},
            **values,
        )

    def go(self, where: str = "", *, opened: Opened | None = None) -> Response:
        """On to the page `where` ("": whatever comes next). `opened`: the browser was signed in and gets another cookie."""
        answer = _redirect(self.here + where)
        desks.save(answer, self.desk, path=self.here)
        if opened is not None:
            cookies.remember(answer, opened.cookie)
        return answer

    def fault(self, page: str, zh: str, en: str, *, field: str = "") -> Response:
        """Back to `page`, saying there what was wrong, with what was typed."""
        typed = {name: value for name, value in request.form.items() if name != "form_key"}
        self.desk.fault, self.desk.typed = Fault(page, field, zh, en), typed
        return self.go("/" + page)

    def refused(self, page: str, problem: Problem, *, field: str = "") -> Response:
        """Back to `page`, with the sentence of a refusal at the field it is about, else at `field`."""
        if isinstance(problem, IdentifierError):
            field = problem.field
        return self.fault(page, problem.sentence("zh"), problem.sentence("en"), field=field)


def page(*steps: type[Any], form: str | None = None, field: str = "") -> Callable[[V], Callable[..., Response]]:
    """A view of a sign-in: its first argument is the `Visit`. Whoever is at another step than `steps` is led there.

    `form`: the page that a refused POST goes back to, with the sentence at `field`. Stands below `access.public`.
    """

    def decorate(view: V) -> Callable[..., Response]:
        @functools.wraps(view)
        def visited(handle: str, **more: Any) -> Response:
            visit = enter(handle)
            if isinstance(visit.step, Finish):
                return _redirect(visit.step.redirect_to)
            if not isinstance(visit.step, steps):
                return visit.go()
            if request.method == "POST":
                check_key(visit.browser, visit.interaction.id)
                visit.desk.clear()
            try:
                answer: Response = view(visit, **more)
            except InteractionOver:
                raise
            except Problem as problem:
                if form is None:
                    raise
                return visit.refused(form.format(**more), problem, field=field)
            return answer

        return visited

    return decorate


def enter(handle: str) -> Visit:
    """The visit of this browser to the sign-in `handle`. Raises `InteractionOver`."""
    now = clock.wall()
    with transaction() as session:
        interaction = queries.view(session, handle)
        looks.remember(looks.present(interaction.language))
        browser = browsers.known(session, cookie=cookies.browser_cookie(), now=now)
        step = service.next_step(session, interaction=handle, browser=browser, now=now)
        if browser is None:
            raise InteractionOver()
        client = clients.find(session, interaction.client_id)
        department = department_of(session, interaction)
    addresses = () if client is None else client.redirect_uris
    return Visit(interaction, browser, step, looks.remembered(), desks.load(), department, sources(addresses))


def department_of(session: Session, interaction: Interaction) -> str:
    """The name of the department that asks; what it was registered as, when the catalogue doesn't know it."""
    return lookups.department_name(session, interaction.department) or interaction.department


def wanted(visit: Visit, kind: type[S]) -> S:
    """The visit's step, of the one kind that its page is for."""
    assert isinstance(visit.step, kind)  # noqa: S101  # `page` has seen to it
    return visit.step


def sign_in(session: Session, visit: Visit, session_id: UUID, amr: Iterable[str]) -> Opened:
    """The person has opened the citizen session `session_id`: so this browser is signed in, for this request."""
    now = clock.wall()
    opened = browsers.sign_in(session, browser=visit.browser, session_id=session_id, amr=tuple(amr), now=now)
    service.signed_in(session, interaction=visit.interaction.id, browser=opened.browser, now=now)
    return opened


# Forms ---------------------------------------------------------------------------------------------------------------


def form_key(browser: Browser, about: str) -> str:
    """The key of a form about `about`, good for this browser alone and as long as a sign-in may take."""
    return security.sign_link(_KEY_PURPOSE, f"{browser.id} {about}", clock.wall() + LASTS)


def check_key(browser: Browser, about: str) -> None:
    """Raise `FormStale` unless the form that was sent is one of ours, for this browser."""
    shown = request.form.get("form_key", "")
    if not security.check_link(_KEY_PURPOSE, f"{browser.id} {about}", shown, clock.wall()):
        raise FormStale()


# Answers -------------------------------------------------------------------------------------------------------------


def sources(addresses: Iterable[str]) -> str:
    """The origins of `addresses`, for a policy of where a form may lead; of an app's own scheme the scheme."""
    found: dict[str, None] = {}
    for address in addresses:
        parts = urlsplit(address)
        found[f"{parts.scheme}://{parts.netloc}" if parts.scheme in _WEB else f"{parts.scheme}:"] = None
    return " ".join(found)


def render(
    template: str, look: Look, *, status: int = 200, leave_to: str = "", refresh: int | None = None, **values: Any
) -> Response:
    """A page. No script runs on it, nothing of others is loaded, and its forms lead to us or to `leave_to` only."""
    html = render_template(
        f"oidc/{template}",
        look=look,
        t=functools.partial(text, look.language),
        style=url_for("oidc_pages.style"),
        refresh=refresh,
        **{"site": None, "fault": None, "form_key": None, "here": "", **values},
    )
    answer = Response(html, status=status, content_type="text/html; charset=utf-8")
    lead_to = " ".join(filter(None, ("'self'", leave_to, fixed().leave_to)))
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action {lead_to}"
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Language"] = "en" if look.language == "en" else "zh-CN"
    return answer


def _shown(fault: Fault | None, look: Look) -> dict[str, str] | None:
    if fault is None:
        return None
    return {"field": fault.field, "text": fault.en if look.language == "en" else fault.zh}


def _redirect(address: str) -> Response:
    answer: Response = redirect(address, 303, Response)  # type: ignore[assignment]
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.before_request
def _switches() -> Response | None:
    return looks.switched()


@blueprint.get("/pages.css", endpoint="style")
@access.public("style of the sign-in pages")
def style() -> Response:
    """The pages' style."""
    answer = Response(fixed().style, content_type="text/css; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    answer.add_etag()
    return answer
