"""Signing in with Alipay: away, back, a phone for level 1; cancelled, down, replayed, another browser's, inside WeChat."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from tests.factories.oidc import Site, browser_of
from tests.gateway.oidc.pages.person import PHONE, Page, Person
from tests.sandbox_client import Sandbox

Jobs = Callable[..., None]
WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50"


def at_alipay(person: Person, site: Site) -> Page:
    """The page the person left; the browser is at Alipay."""
    page = person.arrive(site)
    assert person.press(page, "/alipay").path == "/outside"
    return page


def decide(person: Person, persona: str | None) -> str:
    """Agree as `persona`, or refuse, on Alipay's page; where the browser comes back to, as a path of ours."""
    form = {"act": "agree" if persona else "refuse", "persona": persona or ""}
    back = requests.post(person.left_to, form, allow_redirects=False, timeout=5).headers["Location"]
    assert back.startswith("http://localhost/")
    return back.removeprefix("http://localhost")


def test_with_alipay_then_the_phone_once(person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs) -> None:
    at_alipay(person, site)
    page = person.open(decide(person, "zhang-wei"))
    assert page.name == "phone"
    assert "下次用支付宝登录就不用再验证了" in page.text
    assert not any(link.endswith("/ways") for link in page.links)
    page = person.press(page, "/phone", phone=PHONE)
    wrong = person.press(page, "/code", code="000000")
    assert "还可以再试 4 次" in wrong.text
    person.press(wrong, "/code", code=person.last_code(sandbox, run_jobs))
    assert "code" in person.back_with()
    seen = browser_of(person.http)
    assert seen is not None
    assert seen.live is not None
    assert (seen.live.level, seen.amr) == (1, ("alipay", "otp", "sms"))
    first = seen.live.subject_id
    person.http.delete_cookie("sso")
    at_alipay(person, site)
    person.open(decide(person, "zhang-wei"))
    assert "code" in person.back_with(), "the second time Alipay is enough"
    seen = browser_of(person.http)
    assert seen is not None
    assert seen.live is not None
    assert seen.live.subject_id == first


def test_cancelled(person: Person, site: Site, sandbox: Sandbox) -> None:
    at_alipay(person, site)
    page = person.open(decide(person, None))
    assert page.name == "ways"
    assert "您已取消支付宝授权" in page.text


@pytest.mark.parametrize("fault", ["error", "garbage", "drop_response_after_effect"])
def test_alipay_down_and_again(person: Person, site: Site, sandbox: Sandbox, fault: str) -> None:
    at_alipay(person, site)
    back = decide(person, "zhang-wei")
    sandbox.fault("alipay", fault, times=3)
    page = person.open(back)
    assert page.name == "ways"
    assert "相关服务暂时不可用" in page.text
    sandbox.post("reset")
    at_alipay(person, site)
    assert person.open(decide(person, "zhang-wei")).name == "phone"


def test_a_state_shown_twice(person: Person, site: Site, sandbox: Sandbox) -> None:
    at_alipay(person, site)
    back = decide(person, "zhang-wei")
    answer = person.http.get(back)
    onward = answer.location.removeprefix("http://localhost")
    before = person.http.get_cookie("sso")
    assert before is not None
    assert person.open(onward).name == "phone"
    assert person.open(onward).name == "ways", "the new cookie never left for Alipay"
    person.http.set_cookie("sso", before.value)
    assert person.open(onward).name == "phone", "the same browser pressing reload is led on"


def test_another_browser_brings_the_state(
    person: Person, another: Callable[..., Person], site: Site, sandbox: Sandbox
) -> None:
    """Nobody is signed in to an account that somebody else has opened at Alipay."""
    at_alipay(person, site)
    onward = person.http.get(decide(person, "zhang-wei")).location.removeprefix("http://localhost")
    thief = another()
    start = thief.arrive(site).path.removesuffix("/ways")
    assert thief.open(onward).status == 410
    page = thief.open(start + "/alipay/back?" + onward.partition("?")[2])
    assert page.name == "ways"
    seen = browser_of(thief.http)
    assert seen is not None
    assert seen.live is None
    assert person.open(onward).name == "phone"


def test_a_made_up_state(person: Person, site: Site, sandbox: Sandbox) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/alipay/back?state=x&auth_code=y"))
    assert page.name == "ways"
    assert "fault" in page.html or 'class="faults"' in page.html


def test_inside_wechat_the_way_is_closed_and_says_why(another: Callable[..., Person], site: Site) -> None:
    person = another(User_Agent=WECHAT)
    page = person.arrive(site)
    assert "微信里打不开支付宝" in page.text
    assert not any(form.action.endswith("/alipay") for form in page.forms)
    form = page.form("/scan")
    answer = person.http.post(page.path.replace("/ways", "/alipay"), data=form.fields, headers=person.headers)
    page = person.follow(answer)
    assert page.name == "ways"
    assert "微信内无法打开支付宝" in page.text
    assert person.left_to == ""
