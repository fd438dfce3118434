"""A department's site, as the provider sees it: registered clients, signed-in browsers, and the steps of a sign-in over HTTP."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.oidc.browser import service as browsers
from auth.oidc.browser.service import Browser
from auth.oidc.clients import queries as clients
from auth.oidc.clients import service as registry
from auth.oidc.clients.rules import AuthMethod, ClientType, Registration
from auth.oidc.consents import service as consents
from auth.oidc.consents.rules import Field
from core import clock
from core.actors import Citizen, System
from core.db import transaction

ISSUER = "http://localhost"
CALLBACK = "https://tax.example.gov.cn/callback?from=city"
AFTER = "https://tax.example.gov.cn/bye"
ALL_SCOPES = ("openid", "profile", "phone", "identity", "level", "offline_access")

_MAKER = System("tests")
_counter = itertools.count(1)


@dataclass
class Site:
    """A registered client, with what only it knows."""

    client_id: str
    secret: str | None
    callback: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    @property
    def basic(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def ask(self, **changes: str | None) -> dict[str, str]:
        """The parameters of a good authorization request, with `changes` (None takes one out)."""
        good: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "scope": "openid",
            "state": "st-1",
            "nonce": "no-1",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def exchange(self, http: FlaskClient, code: str, /, **changes: str | None) -> TestResponse:
        """Show the code at the token endpoint."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": self.verifier,
        }
        headers = self.basic if self.secret else {}
        if not self.secret:
            form["client_id"] = self.client_id
        form |= changes
        data = {name: value for name, value in form.items() if value is not None}
        return http.post("/oidc/token", data=data, headers=headers)

    def refresh(self, http: FlaskClient, value: str, **more: str) -> TestResponse:
        """Show a refresh token at the token endpoint."""
        data = {"grant_type": "refresh_token", "refresh_token": value, **more}
        return http.post("/oidc/token", data=data, headers=self.basic)


def register(**wanted: Any) -> Site:
    """A registered confidential client; commits."""
    client_id = wanted.pop("client_id", f"tax-{next(_counter)}-{secrets.token_hex(3)}")
    known = Registration(
        **{
            "client_id": client_id,
            "name_zh": "宁波税务",
            "name_en": "Ningbo Taxation",
            "department": "D09",
            "type": ClientType.CONFIDENTIAL,
            "auth_method": AuthMethod.SECRET_BASIC,
            "redirect_uris": (CALLBACK,),
            "post_logout_redirect_uris": (AFTER,),
            "scopes": ALL_SCOPES,
            "max_level": 3,
            "sector": "tax",
            **wanted,
        }
    )
    with transaction() as session:
        made = registry.register(session, actor=_MAKER, wanted=known)
    return Site(client_id, made.secret, known.redirect_uris[0])


def public_site(**wanted: Any) -> Site:
    """A registered public client; commits."""
    return register(type=ClientType.PUBLIC, auth_method=AuthMethod.NONE, **wanted)


def sign_in_browser(http: FlaskClient, actor: Citizen, amr: tuple[str, ...] = ("sms",)) -> Browser:
    """Sign the test client's browser in to the citizen's session, as the hosted pages do; commits."""
    now = clock.wall()
    with transaction() as session:
        cookie = http.get_cookie("sso")
        known = browsers.known(session, cookie=cookie.value if cookie else None, now=now)
        if known is None:
            known = browsers.open_browser(session, now=now).browser
        opened = browsers.sign_in(session, browser=known, session_id=actor.session_id, amr=amr, now=now)
    http.set_cookie("sso", opened.cookie)
    return opened.browser


def browser_of(http: FlaskClient) -> Browser | None:
    """The test client's browser, as the hosted pages see it."""
    cookie = http.get_cookie("sso")
    with transaction() as session:
        return browsers.known(session, cookie=cookie.value if cookie else None, now=clock.wall())


def allow(actor: Citizen, site: Site, *fields: Field) -> None:
    """The person lets the site see `fields`; commits."""
    with transaction() as session:
        client = clients.find(session, site.client_id)
        assert client is not None
        consents.give(
            session,
            actor=actor,
            client_key=client.id,
            client_id=client.client_id,
            fields=fields or tuple(Field),
            now=clock.wall(),
        )


def params(address: str) -> dict[str, str]:
    """The query parameters of an address."""
    return dict(parse_qsl(urlsplit(address).query))


def query_of(answer: TestResponse) -> dict[str, str]:
    """The query parameters of the address an answer redirects to."""
    assert answer.status_code in {302, 303}, answer.text
    return params(answer.location)


def authorize(http: FlaskClient, site: Site, **changes: str | None) -> dict[str, str]:
    """Send an authorization request that is answered at once; what came back to the client."""
    answer = http.get("/oidc/authorize", query_string=site.ask(**changes))
    assert answer.location.startswith(site.callback.split("?")[0]), answer.location
    assert "from" in parse_qs(urlsplit(answer.location).query)
    return query_of(answer)


def interaction_of(answer: TestResponse) -> str:
    """The id of the interaction an authorization request was sent on to."""
    assert answer.location.startswith("/oidc/sign-in/"), answer.location
    return answer.location.removeprefix("/oidc/sign-in/")


def tokens(http: FlaskClient, site: Site, **changes: str | None) -> dict[str, Any]:
    """The tokens of a browser that is signed in and has nothing to be asked."""
    answer = site.exchange(http, authorize(http, site, **changes)["code"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says, unverified."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def bearer(token: str) -> dict[str, str]:
    """The header of a resource request."""
    return {"Authorization": f"Bearer {token}"}
