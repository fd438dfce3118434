"""The demo department of `make run`, in the sandbox's process, against the product over HTTP: a person without scripts.

Its own keys, its own checks; what it is told is compared with what the product knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import select

from auth.consent.errors import ConsentRequired
from auth.oidc.clients import service as clients
from auth.oidc.clients.models import OidcClient
from auth.oidc.consents.rules import Field
from auth.sessions import service as sessions
from casework.tiles import service as tiles
from casework.tiles.errors import TileClosed
from casework.tiles.models import TileTarget
from casework.tiles.rules import Kind
from casework.tiles.service import Target
from core.actors import Citizen, System
from core.db import transaction
from core.settings import Settings
from gateway.local import department
from gateway.local.environment import site_of
from gateway.local.secrets import partner_environment
from tests.gateway.oidc.pages.person import PHONE, forms_of
from tests.journey.client import wait_until
from tests.sandbox_client import Sandbox
from tests.served import served

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]


@dataclass
class Demo:
    """The product and the site."""

    issuer: str
    site: dict[str, Any]

    @property
    def base(self) -> str:
        return str(self.site["base"])


@pytest.fixture
def demo(settings: Settings, sandbox: Sandbox, database: object) -> Iterator[Demo]:
    site = site_of(sandbox.credentials, sandbox.url)
    with transaction() as session:
        department.connect(session, site)
    partners = partner_environment(sandbox.credentials, sandbox.url)
    with served(settings, worker=True, partners=partners) as issuer:
        sandbox.post("department/configure", issuer=issuer, base=site["base"])
        yield Demo(issuer, site)


@dataclass
class Visitor:
    """A browser without scripts."""

    http: requests.Session = field(default_factory=requests.Session)
    at: str = ""
    text: str = ""

    def open(self, address: str) -> Visitor:
        return self._landed(self.http.get(urljoin(self.at, address), timeout=20))

    def press(self, ending: str, **filled: str) -> Visitor:
        """Send the page's form whose address ends in `ending`."""
        form = next(form for form in forms_of(self.text) if form.action.endswith(ending))
        data = {**form.fields, **{name: [value] for name, value in filled.items()}}
        return self._landed(self.http.post(urljoin(self.at, form.action), data=data, timeout=20))

    def _landed(self, answer: requests.Response) -> Visitor:
        assert answer.status_code < 500, answer.text
        self.at, self.text = answer.url, answer.text
        return self


def _by_phone(visitor: Visitor, demo: Demo, sandbox: Sandbox) -> Visitor:
    """From the site through the hosted pages, by a code that the sandbox's outbox shows, and back."""
    visitor.open(f"{demo.base}/").open("/department/sign-in?level=1")
    assert visitor.at.startswith(f"{demo.issuer}/oidc/sign-in/"), visitor.text
    visitor.open(visitor.at.removesuffix("/ways") + "/phone").press("/phone", phone=PHONE)
    sent = wait_until("the code is sent", lambda: sandbox.get("outbox.json", persona="zhang-wei")["messages"])
    code = sent[0]["code"]
    visitor.press("/code", code=code)
    if visitor.at.endswith("/consent"):
        visitor.press("/consent", answer="yes")
    return visitor


@pytest.mark.slow
def test_a_stranger_signs_in_by_phone_and_signs_out(demo: Demo, sandbox: Sandbox) -> None:
    visitor = _by_phone(Visitor(), demo, sandbox)
    assert visitor.at == f"{demo.base}/", visitor.text
    assert "您已登录" in visitor.text
    assert "level1 · 注册用户" in visitor.text
    assert "验证码、短信" in visitor.text
    visitor.press("/sign-out")
    assert visitor.at.startswith(f"{demo.base}/"), visitor.text
    assert "请登录" in visitor.text


@pytest.mark.slow
def test_the_app_opens_the_site_by_a_ticket_once_and_its_end_is_heard(
    demo: Demo, citizen: MakeCitizen, sandbox: Sandbox
) -> None:
    actor, _ = citizen(level=3, name="王小明")
    with transaction() as session, pytest.raises(ConsentRequired):
        tiles.launch(session, actor=actor, tile_id=department.BOOKING_TILE)
    with transaction() as session:
        opened = tiles.launch(session, actor=actor, tile_id=department.BOOKING_TILE, agreed=Field)
    phone = Visitor().open(opened.address)
    assert phone.at == f"{demo.base}/", phone.text
    assert "level3 · 高级实名" in phone.text
    assert "王小明" in phone.text
    again = Visitor().open(opened.address)
    assert "只能用一次" in again.text
    # A ticket that is shown twice was in somebody else's hands: the sign-on it gave ends, and the site is told.
    wait_until("the site has heard", lambda: "请登录" in phone.open(f"{demo.base}/").text)


@pytest.mark.slow
def test_the_site_hears_when_the_app_signs_out(demo: Demo, citizen: MakeCitizen) -> None:
    actor, _ = citizen(level=2)
    with transaction() as session:
        opened = tiles.launch(session, actor=actor, tile_id=department.BOOKING_TILE, agreed=Field)
    phone = Visitor().open(opened.address)
    assert "您已登录" in phone.text
    with transaction() as session:
        sessions.sign_out(session, actor=actor)
    wait_until("the site has heard", lambda: "请登录" in phone.open(f"{demo.base}/").text)


@pytest.mark.slow
def test_what_others_send_is_not_believed(demo: Demo, sandbox: Sandbox) -> None:
    visitor = _by_phone(Visitor(), demo, sandbox)
    began = Visitor().open(f"{demo.base}/")
    planted = began.http.get(f"{demo.base}/sign-in?level=1", allow_redirects=False, timeout=20)
    state = parse_qs(urlsplit(planted.headers["Location"]).query)["state"][0]
    # Another browser can't finish this one's sign-in, nor this one at the word of another provider.
    assert "重新登录" in Visitor().open(f"{demo.base}/callback?state={state}&code=x&iss={demo.issuer}").text
    assert (
        "没有登录成功（iss）" in began.open(f"{demo.base}/callback?state={state}&code=x&iss=https://evil.example").text
    )
    assert "重新登录" in began.open(f"{demo.base}/callback?state={state}&code=x&iss={demo.issuer}").text
    assert requests.get(f"{demo.base}/sign-in?iss=https://evil.example", timeout=20).status_code == 400

    claims = {
        "iss": demo.issuer,
        "aud": demo.site["client_id"],
        "iat": 1,
        "jti": "1",
        "sid": "x",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    forged = (
        jwt.encode({"alg": "RS256", "typ": "logout+jwt"}, claims, RSAKey.generate_key(2048)),
        jwt.encode({"alg": "HS256", "typ": "logout+jwt"}, claims, OctKey.generate_key(256)),
        "nothing",
    )
    for token in forged:
        answer = requests.post(f"{demo.base}/backchannel-logout", data={"logout_token": token}, timeout=20)
        assert answer.status_code == 400
    assert "您已登录" in visitor.open(f"{demo.base}/").text


def test_connecting_again_changes_addresses_and_leaves_what_somebody_decided(
    database: object, sandbox: Sandbox
) -> None:
    site = site_of(sandbox.credentials, sandbox.url)
    moved = {**site, "base": "http://127.0.0.1:9777/department"}
    with transaction() as session:
        department.connect(session, site)
        closed = Target(kind=Kind.OIDC, client_id=site["client_id"], open=False, closed_zh="维护中", closed_en="Closed")
        tiles.set_target(session, actor=System("test"), tile_id=department.LOOK_UP_TILE, target=closed)
    with transaction() as session:
        department.connect(session, moved)
        row = session.scalars(select(OidcClient).where(OidcClient.client_id == site["client_id"])).one()
        assert row.redirect_uris == ["http://127.0.0.1:9777/department/callback"]
        booking = session.get(TileTarget, department.BOOKING_TILE)
        assert booking is not None
        assert booking.address == "http://127.0.0.1:9777/department/enter"
        look_up = session.get(TileTarget, department.LOOK_UP_TILE)
        assert look_up is not None
        assert not look_up.open
        clients.set_active(session, actor=System("test"), client_id=site["client_id"], active=False)
    with transaction() as session:
        department.connect(session, site)
        assert session.get(TileTarget, department.BOOKING_TILE).address == booking.address  # type: ignore[union-attr]


def test_a_closed_tile_of_the_demo_says_why(citizen: MakeCitizen, sandbox: Sandbox) -> None:
    actor, _ = citizen(level=1)
    site = site_of(sandbox.credentials, sandbox.url)
    with transaction() as session:
        department.connect(session, site)
        assert tiles.launch(session, actor=actor, tile_id=department.LOOK_UP_TILE).address.startswith(site["base"])
        clients.set_active(session, actor=System("test"), client_id=site["client_id"], active=False)
        with pytest.raises(TileClosed):
            tiles.launch(session, actor=actor, tile_id=department.LOOK_UP_TILE)
