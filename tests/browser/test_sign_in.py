"""The proof in a real browser, without a script: a site asks for level 3, and the person gets there from nothing.

Phone code (level 1), name and number (level 2), Alipay (level 3), consent, back at the site with `acr` and a fresh
`auth_time`; in Chinese, in large type and in English. Pages must fit a phone's width in every look.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.camera import HEIGHT, WIDTH, Camera
from tests.browser.relying_party import RelyingParty
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.browser

PHONE = "19900000001"
ENGLISH = frozenset({"01-ways", "09-consent"})
LOOKS = {
    "normal": ("zh-CN", "", None),
    "large": ("zh-CN", "-large", None),
    "english": ("en", "-en", ENGLISH),
}


class Screen:
    """A phone's browser with scripts off, and a camera."""

    def __init__(self, chromium: Any, look: str, *, pictures: bool, agent: str | None = None) -> None:
        language, suffix, only = LOOKS[look]
        self.camera = Camera(suffix, on=pictures, only=only)
        self.context = chromium.new_context(
            java_script_enabled=False,
            locale=language,
            viewport={"width": WIDTH, "height": HEIGHT},
            **({"user_agent": agent} if agent else {}),
        )
        self.page = self.context.new_page()
        self.refused: list[str] = []
        self.page.on("console", lambda said: self.refused.append(said.text) if "Policy" in said.text else None)
        self.large = look == "large"

    def open(self, address: str) -> None:
        """Go to an address; the first of our pages is switched to large type, if that is the look."""
        self.page.goto(address)
        if self.large and self.page.locator("html:not(.elder) header nav a").count():
            self.page.get_by_role("link", name="大字版").click()

    def at(self, ending: str, picture: str | None = None) -> None:
        """The browser must be on this page, which fits the width and breaks no policy; take its picture."""
        self.page.wait_for_load_state("load")
        assert self.page.url.split("?")[0].endswith(ending), self.page.url
        assert self.page.evaluate("document.documentElement.scrollWidth") <= WIDTH, f"{self.page.url} is too wide"
        assert self.refused == []
        small = self.page.evaluate(SMALL_TARGETS)
        assert small == [], small
        if picture:
            self.camera.take(self.page, picture)

    def press(self, name: str) -> None:
        """Press a button or link by what it says."""
        self.page.locator(f"button:has-text('{name}'), a:has-text('{name}')").first.click()

    def enter(self) -> None:
        """Press the Enter key in a field, and wait for the page that comes."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def close(self) -> None:
        self.context.close()


# Everything to press on is at least 48 px high (DG-6); a link inside a sentence is as high as its line.
SMALL_TARGETS = """
[...document.querySelectorAll('button, a.button, a.way, header a, input:not([type=hidden])')]
  .map(one => [one.outerHTML.slice(0, 60), one.getBoundingClientRect().height])
  .filter(pair => pair[1] < 48)
"""


@pytest.fixture
def screen(chromium: Any, request: pytest.FixtureRequest) -> Any:
    """Make the phone's browser: `screen("large")`."""
    made: list[Screen] = []
    pictures = bool(request.config.getoption("--write-screenshots", default=False))

    def make(look: str = "normal", agent: str | None = None) -> Screen:
        made.append(Screen(chromium, look, pictures=pictures, agent=agent))
        return made[-1]

    yield make
    for one in made:
        one.close()


def newest_code(sandbox: Sandbox, in_background: Callable[[], None], phone: str = PHONE) -> str:
    in_background()
    return str(sandbox.get("outbox.json", phone=phone)["messages"][0]["fields"]["code"])


def by_phone(shown: Screen, sandbox: Sandbox, in_background: Callable[[], None], *, phone: str = PHONE) -> None:
    """From the ways to whatever comes after the code."""
    shown.page.locator("a.way").first.click()
    shown.at("/phone", "02-phone")
    shown.page.fill("#phone", phone)
    shown.enter()
    shown.at("/code", "03-code")
    assert shown.page.evaluate("document.querySelector('#code').inputMode") == "numeric"
    code = newest_code(sandbox, in_background, phone)
    shown.page.fill("#code", f"{(int(code) + 1) % 1_000_000:06d}")
    shown.enter()
    shown.at("/code", "04-code-wrong")
    assert shown.page.evaluate("document.activeElement.className") == "faults", "the summary has the focus"
    shown.page.fill("#code", code)
    shown.enter()


@pytest.mark.parametrize("look", list(LOOKS))
def test_from_nothing_to_level_3(
    screen: Any, look: str, relying_party: RelyingParty, sandbox: Sandbox, in_background: Callable[[], None]
) -> None:
    began = int(time.time())
    shown = screen(look)
    shown.open(f"{relying_party.address}/login")
    shown.at("/ways", "01-ways")
    by_phone(shown, sandbox, in_background)
    shown.at("/document", "05-kinds")
    shown.page.locator("a.way").first.click()
    shown.at("/document/111", "06-document")
    shown.page.fill("#name", "张伟")
    shown.page.fill("#document_number", "330299199003070013")
    shown.enter()
    shown.at("/proof", "07-proof")
    shown.page.locator("a[href$='/network-id']").click()
    shown.at("/network-id", "20-network-id")
    shown.page.locator("a[href$='/proof']").click()
    shown.page.locator("a[href$='/real-name']").click()
    shown.at("/real-name", "08-real-name")
    shown.page.locator("form[action$='/real-name'] button").click()
    assert "/alipay/" in shown.page.url
    shown.page.select_option("#persona", "zhang-wei")
    shown.page.locator("button[value=agree]").click()
    shown.at("/consent", "09-consent")
    shown.page.locator("button[value=yes]").click()
    assert shown.page.url == f"{relying_party.address}/me"
    told = relying_party.told
    assert told["id"]["acr"] == "level3"
    assert began <= told["id"]["auth_time"] <= time.time()
    assert told["id"]["amr"] == ["otp", "sms", "alipay"]
    assert told["user"]["name"] == "张伟"
    assert told["user"]["phone_number"] == "+8619900000001"
    assert told["user"]["document_number"] == "330299199003070013"
    assert told["user"]["sub"] == told["id"]["sub"]


@pytest.mark.parametrize("look", ["normal", "large"])
def test_the_other_pages(
    screen: Any, look: str, relying_party: RelyingParty, sandbox: Sandbox, in_background: Callable[[], None]
) -> None:
    shown = screen(look)
    login = f"{relying_party.address}/login"
    shown.open(login)
    shown.page.locator("form[action$='/scan'] button").click()
    shown.at("/scan", "10-scan")
    box = shown.page.locator(".qr svg").bounding_box()
    assert box["width"] == box["height"] >= 200
    started = shown.page.url.removesuffix("/scan")
    shown.open(shown.page.url.split("/oidc/")[0] + "/oidc/scan/" + "x" * 32)
    shown.at("x" * 32, "11-scanned-elsewhere")
    shown.open(started + "/ways")
    by_phone(shown, sandbox, in_background, phone="19900000005")
    shown.open(started + "/halls")
    shown.at("/halls", "12-halls")
    shown.open(started + "/document/111")
    shown.page.fill("#name", "孙立")
    shown.page.fill("#document_number", "330299197908150036")
    shown.enter()
    shown.at("/document/111", "13-document-wrong")
    shown.page.fill("#document_number", "330299197908150035")
    shown.enter()
    shown.at("/review", "14-review")
    shown.page.locator("form[action$='/refuse'] button").click()
    assert "unmet_authentication_requirements" in shown.page.content()
    shown.open(f"{login}?prompt=select_account&level=any")
    shown.at("/account", "15-account")
    other = screen(look)
    other.open(shown.page.url)
    assert other.page.locator("h1").inner_text() == "这个页面已经过期"
    other.at("/account", "18-over")
    shown.open(shown.page.url.split("/oidc/")[0] + "/oidc/logout")
    shown.camera.take(shown.page, "16-sign-out")
    shown.page.locator("button[value=yes]").click()
    shown.camera.take(shown.page, "17-signed-out")


def test_inside_wechat(screen: Any, relying_party: RelyingParty) -> None:
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50"
    shown = screen("normal", agent)
    shown.open(f"{relying_party.address}/login")
    shown.at("/ways", "19-ways-in-wechat")
    assert "微信里打不开支付宝" in shown.page.content()


def test_a_foreigner_with_the_network_id(
    screen: Any, relying_party: RelyingParty, sandbox: Sandbox, in_background: Callable[[], None]
) -> None:
    """ID-10: a permanent resident's card reaches level 3 too, over the network ID's app; in English."""
    shown = screen("english")
    shown.open(f"{relying_party.address}/login")
    by_phone(shown, sandbox, in_background, phone="19900000023")
    shown.page.locator("a[href$='/document/553']").click()
    shown.page.fill("#name", "MARIA GARCIA")
    shown.page.fill("#document_number", "933724198602140120")
    shown.enter()
    shown.page.locator("a[href$='/network-id']").click()
    shown.page.locator("form[action$='/network-id'] button").click()
    shown.page.select_option("#persona", "foreigner")
    shown.page.locator("button[value=confirm]").click()
    shown.at("/consent")
    shown.page.locator("button[value=yes]").click()
    assert shown.page.url == f"{relying_party.address}/me"
    assert relying_party.told["id"]["acr"] == "level3"
    assert relying_party.told["user"]["document_type"] == "553"


def test_back_and_double_press(
    screen: Any, relying_party: RelyingParty, sandbox: Sandbox, in_background: Callable[[], None]
) -> None:
    """The back button leads on, and a button pressed twice signs in once, in a real browser."""
    shown = screen()
    shown.open(f"{relying_party.address}/login?level=any")
    shown.press("手机号和短信验证码")
    shown.page.fill("#phone", PHONE)
    shown.enter()
    shown.page.fill("#code", newest_code(sandbox, in_background))
    shown.page.locator("form[action$='/code'] button").dblclick(no_wait_after=True)
    shown.page.wait_for_url("**/consent")
    shown.page.go_back()
    shown.page.reload()
    shown.at("/consent")
    shown.page.locator("button[value=no]").click()
    assert "access_denied" in shown.page.content()
