"""Signing a browser in by scanning with the phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from auth.factors.scan import rules, service
from core import cache
from core.actors import Citizen
from core.db import engine
from core.settings import Settings
from tests.factories.oidc import Site, browser_of
from tests.gateway.oidc.pages.person import Page, Person
from tests.sandbox_client import free_port

MakeCitizen = Callable[..., tuple[Citizen, dict[str, str]]]
API = "/api/v1/scan-sign-ins"


class Offers:
    """Notes the codes that pages show: the test's camera."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def code_of(self, page: Page) -> str:
        """What a camera would read: here the desk tells it, since the picture is looked at in the browser test."""
        from gateway.oidc.pages import desk

        cookie = self.person.http.get_cookie("desk", path=page.path.removesuffix("/scan"))
        assert cookie is not None
        with self.person.http.application.test_request_context(headers={"Cookie": f"desk={cookie.value}"}):
            return desk.load().scan


def shown(person: Person, site: Site) -> tuple[Page, dict[str, str]]:
    page = person.press(person.arrive(site), "/scan")
    assert page.name == "scan"
    return page, {"scanned": "http://localhost" + rules.PATH + Offers(person).code_of(page)}


def test_scanned_confirmed_and_back_at_the_site(person: Person, site: Site, citizen: MakeCitizen, client: Any) -> None:
    actor, headers = citizen(level=3)
    page, scanned = shown(person, site)
    assert re.search(r'<meta http-equiv="refresh" content="3">', page.html)
    assert "<svg" in page.html
    assert "style=" not in page.html
    asked = client.post(f"{API}/look-up", json=scanned, headers=headers).get_json()
    assert "不动产登记网" in asked["site"]
    assert "已扫码" in person.open(page.path).text
    assert client.post(f"{API}/confirm", json=scanned, headers=headers).status_code == 204
    person.open(page.path)
    back = person.back_with()
    made = site.exchange(person.http, back["code"]).get_json()
    assert made["id_token"]
    browser = browser_of(person.http)
    assert browser is not None
    assert browser.live is not None
    assert (browser.live.subject_id, browser.live.channel, browser.amr) == (actor.subject_id, "H5", ("mca",))
    assert browser.live.session_id != actor.session_id


def test_reloading_shows_the_same_code(person: Person, site: Site) -> None:
    page, _ = shown(person, site)
    assert person.open(page.path).html == page.html
    again = person.press(person.open(page.path.replace("/scan", "/ways")), "/scan")
    assert again.html != page.html


def test_refused_on_the_phone(person: Person, site: Site, citizen: MakeCitizen, client: Any) -> None:
    _, headers = citizen(level=1)
    page, scanned = shown(person, site)
    client.post(f"{API}/look-up", json=scanned, headers=headers)
    client.post(f"{API}/refuse", json=scanned, headers=headers)
    page = person.open(page.path)
    assert "点了“拒绝”" in page.text
    assert "refresh" not in page.html
    assert person.press(page, "/scan").name == "scan"


def test_over_after_two_minutes(person: Person, site: Site) -> None:
    page, _ = shown(person, site)
    for key in cache.client().scan_iter("scan:*"):
        cache.client().delete(key)
    page = person.open(page.path)
    assert "二维码已过期" in page.text
    assert "refresh" not in page.html


def test_another_browser_with_the_same_code_gets_nothing(
    person: Person, another: Callable[..., Person], site: Site, citizen: MakeCitizen, client: Any
) -> None:
    _, headers = citizen(level=1)
    page, scanned = shown(person, site)
    client.post(f"{API}/look-up", json=scanned, headers=headers)
    client.post(f"{API}/confirm", json=scanned, headers=headers)
    thief = another()
    theirs = thief.press(thief.arrive(site), "/scan").path.removesuffix("/scan")
    mine = person.http.get_cookie("desk", path=page.path.removesuffix("/scan"))
    assert mine is not None
    thief.http.set_cookie("desk", mine.value, path=theirs)
    assert "二维码已过期" in thief.open(theirs + "/scan").text
    person.open(page.path)
    assert "code" in person.back_with()


def test_the_account_frozen_meanwhile(person: Person, site: Site, citizen: MakeCitizen, client: Any) -> None:
    _, headers = citizen(level=2)
    page, scanned = shown(person, site)
    client.post(f"{API}/look-up", json=scanned, headers=headers)
    client.post(f"{API}/confirm", json=scanned, headers=headers)
    with engine().begin() as connection:
        connection.execute(text("UPDATE subject SET state = 'FROZEN'"))
    page = person.open(page.path)
    assert page.name == "ways"
    assert "账号已暂停使用" in page.text


def test_the_phone_signed_out_meanwhile(person: Person, site: Site, citizen: MakeCitizen, client: Any) -> None:
    _, headers = citizen(level=2)
    page, scanned = shown(person, site)
    client.post(f"{API}/look-up", json=scanned, headers=headers)
    client.post(f"{API}/confirm", json=scanned, headers=headers)
    client.post("/api/v1/login/logout", headers=headers)
    page = person.open(page.path)
    assert page.name == "ways"
    assert "二维码已失效" in page.text


def test_without_having_pressed_the_button(person: Person, site: Site) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/scan"))
    assert page.name == "ways"
    assert "请点“用手机扫一扫”" in page.text


def test_redis_away(person: Person, site: Site, settings: Settings) -> None:
    start = person.arrive(site)
    page, _ = shown(person, site)
    cache.configure(f"redis://127.0.0.1:{free_port()}/0")
    try:
        refused = person.press(start, "/scan")
        assert refused.name == "ways"
        assert "相关服务暂时不可用" in refused.text
        away = person.open(page.path)
        assert away.status == 503
        assert "暂时连接不上" in away.text
        assert page.path.removesuffix("/scan") in away.links
    finally:
        cache.configure(settings.redis_url)


def test_another_app_is_told_what_to_do(person: Person) -> None:
    made = service.offer(browser="b", site_zh="网", site_en="Site", device=None, address=None)
    page = person.open(rules.PATH + made.code)
    assert page.status == 200
    assert "别人发给您的码" in page.text
    assert page.text == person.open(rules.PATH + "x" * 32).text, "whether a code is good is told to nobody"
