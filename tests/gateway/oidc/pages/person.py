"""A person at a browser without scripts: reads pages, fills forms in, presses buttons, follows redirects."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.factors import service as factors
from auth.factors.rules import SIGN_IN
from core import cache
from core.db import transaction
from tests.factories.oidc import Site
from tests.sandbox_client import Sandbox

PHONE = "19900000001"
_MOST_REDIRECTS = 8


@dataclass
class Form:
    """A form of a page: where it goes, what it sends by itself, its buttons (name, value)."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag == "form":
            assert known.get("method") == "post"
            self.forms.append(Form(known["action"] or ""))
            self._inside = True
        elif tag == "a" and known.get("href"):
            self.links.append(str(known["href"]))
        elif self._inside and tag == "input" and known.get("name"):
            self.forms[-1].fields.setdefault(str(known["name"]), []).append(known.get("value") or "")
        elif self._inside and tag == "button":
            self.forms[-1].buttons.append((known.get("name") or "", known.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def forms_of(html: str) -> list[Form]:
    """The forms of a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


@dataclass
class Page:
    """What the person sees."""

    path: str
    status: int
    html: str
    answer: TestResponse

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.html)
        self.forms, self.links, self.tags = reader.forms, reader.links, reader.tags
        self.text = " ".join(" ".join(reader.words).split())

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.path.rsplit("/", 1)[1]

    def form(self, ending: str) -> Form:
        """The form whose address ends so."""
        found = [form for form in self.forms if form.action.endswith(ending)]
        assert len(found) == 1, f"{self.path}: {[form.action for form in self.forms]}"
        return found[0]

    def input(self, name: str) -> dict[str, str | None]:
        """The attributes of a field."""
        found = [known for tag, known in self.tags if tag == "input" and known.get("name") == name]
        assert len(found) == 1, f"{self.path} has no field {name}"
        return found[0]


@dataclass
class Person:
    """Somebody at a browser. `left_to`: the last address outside that the browser was sent to."""

    http: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)
    left_to: str = ""

    def arrive(self, site: Site, **asked: str | None) -> Page:
        """Come from a site that wants a sign-in."""
        return self.follow(self.http.get("/oidc/authorize", query_string=site.ask(**asked), headers=self.headers))

    def open(self, address: str) -> Page:
        """Open an address of ours."""
        return self.follow(self.http.get(address, headers=self.headers))

    def follow(self, answer: TestResponse) -> Page:
        """Follow redirects on our host; outside, note where it went and show an empty page."""
        for _ in range(_MOST_REDIRECTS):
            if answer.status_code not in {302, 303}:
                return Page(answer.request.path, answer.status_code, answer.get_data(as_text=True), answer)
            address = urljoin("http://localhost", answer.location)
            if urlsplit(address).netloc != "localhost":
                self.left_to = address
                return Page("/outside", answer.status_code, "", answer)
            parts = urlsplit(address)
            answer = self.http.get(parts.path + ("?" + parts.query if parts.query else ""), headers=self.headers)
        raise AssertionError("too many redirects")

    def post(self, page: Page, ending: str, /, **typed: Any) -> TestResponse:
        """Press the button of a form; the answer itself."""
        form = page.form(ending)
        return self.http.post(form.action, data={**form.fields, **typed}, headers=self.headers)

    def press(self, page: Page, ending: str, /, **typed: Any) -> Page:
        """Press the button of a form, with what was typed, and look at the page that comes."""
        return self.follow(self.post(page, ending, **typed))

    def back_with(self) -> dict[str, str]:
        """What the browser brought back to the site."""
        return dict(parse_qsl(urlsplit(self.left_to).query))

    def last_code(self, sandbox: Sandbox, run_jobs: Any, phone: str = PHONE) -> str:
        """The code of the newest message on the phone."""
        run_jobs()
        return str(sandbox.get("outbox.json", phone=phone)["messages"][0]["fields"]["code"])

    def sign_in(self, page: Page, sandbox: Sandbox, run_jobs: Any, phone: str = PHONE) -> Page:
        """From the ways to the page after the code, by phone."""
        page = self.open(page.path.rsplit("/", 1)[0] + "/phone")
        page = self.press(page, "/phone", phone=phone)
        return self.press(page, "/code", code=self.last_code(sandbox, run_jobs, phone))


def after_a_minute() -> None:
    """Let the minute between two codes pass."""
    for key in cache.client().scan_iter("otp:*:sent"):
        cache.client().delete(key)


def send_directly(phone: str = PHONE) -> None:
    """A code asked for on another device."""
    with transaction() as session:
        factors.send_code(session, phone=phone, use=SIGN_IN)
