"""Signing in by a code to the phone, with every wrong button on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text

from auth.sessions.models import CitizenSession
from core import cache
from core.db import engine, transaction
from core.settings import Settings
from tests.factories.oidc import Site
from tests.gateway.oidc.pages.person import PHONE, Page, Person, after_a_minute
from tests.sandbox_client import Sandbox, free_port

Jobs = Callable[..., None]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def at_the_code(person: Person, site: Site, **asked: str) -> Page:
    page = person.arrive(site, **asked)
    return person.press(person.open(page.path.replace("/ways", "/phone")), "/phone", phone=PHONE)


def sessions_open() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).where(CitizenSession.ended_at.is_(None))) or 0


def test_from_the_site_and_back(person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs) -> None:
    page = person.arrive(site)
    assert (page.status, page.name) == (200, "ways")
    assert "不动产登记网" in page.text
    page = person.sign_in(page, sandbox, run_jobs)
    assert person.left_to.startswith(site.callback.split("?")[0])
    back = person.back_with()
    assert back["state"] == "st-1"
    made = site.exchange(person.http, back["code"]).get_json()
    assert made["id_token"]


def test_the_number_is_shown_masked_and_the_code_field_helps(person: Person, site: Site, sandbox: Sandbox) -> None:
    page = at_the_code(person, site)
    assert page.name == "code"
    assert "199****0001" in page.text
    assert PHONE not in page.html
    known = page.input("code")
    assert (known["inputmode"], known["autocomplete"], known["type"]) == ("numeric", "one-time-code", "text")
    asked = person.open(page.path.replace("/code", "/phone")).input("phone")
    assert (asked["inputmode"], asked["autocomplete"], asked["type"]) == ("tel", "tel", "tel")


def test_five_wrong_codes_then_the_right_one_is_void(
    person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs
) -> None:
    page = at_the_code(person, site)
    code = person.last_code(sandbox, run_jobs)
    for left in (4, 3, 2):
        page = person.press(page, "/code", code=wrong(code))
        assert f"还可以再试 {left} 次" in page.text
    assert "再试最后 1 次" in person.press(page, "/code", code=wrong(code)).text
    page = person.press(page, "/code", code=wrong(code))
    assert "验证码已失效" in page.text
    assert "验证码已失效" in person.press(page, "/code", code=code).text
    assert sessions_open() == 0
    after_a_minute()
    page = person.press(page, "/code/again")
    assert page.name == "code"
    assert "还可以" not in page.text
    person.press(page, "/code", code=person.last_code(sandbox, run_jobs))
    assert "code" in person.back_with()


def test_known_and_unknown_phones_are_told_the_same(
    person: Person, another: Callable[..., Person], site: Site, sandbox: Sandbox, run_jobs: Jobs
) -> None:
    page = person.arrive(site)
    person.sign_in(page, sandbox, run_jobs)
    after_a_minute()
    told = []
    for phone in (PHONE, "19900000055"):
        one = another()
        start = one.arrive(site)
        page = one.press(one.open(start.path.replace("/ways", "/phone")), "/phone", phone=phone)
        page = one.press(page, "/code", code="000000")
        told.append(page.html.replace(page.path.split("/")[3], "").replace("0055", "0001"))
    key = 'name="form_key" value="'
    first, second = ("".join(part.partition('"')[2] for part in one.split(key)) for one in told)
    assert first == second


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "12345６７", "１２３４ ５"])
def test_a_code_that_is_none_costs_no_try(
    person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs, typed: str
) -> None:
    page = at_the_code(person, site)
    assert "请输入短信里的6位数字" in person.press(page, "/code", code=typed).text
    person.press(page, "/code", code=person.last_code(sandbox, run_jobs))
    assert "code" in person.back_with()


def test_full_width_digits_and_blanks_are_forgiven(
    person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs
) -> None:
    page = at_the_code(person, site)
    code = person.last_code(sandbox, run_jobs)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    person.press(page, "/code", code=f" {wide[:3]} {wide[3:]} ")
    assert "code" in person.back_with()


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "请填写此项"), ("123", "位数不正确"), ("abc", "含有不允许的字符"), ("0574-87654321", "请填写11位手机号")],
)
def test_a_wrong_number_is_told_at_the_field_and_kept(person: Person, site: Site, typed: str, said: str) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    page = person.press(page, "/phone", phone=typed)
    assert page.name == "phone"
    known = page.input("phone")
    assert known["value"] == typed
    assert known["aria-invalid"] == "true"
    assert page.text.count(said) == 2  # in the summary and beside the field
    assert "phone-fault" in str(known["aria-describedby"])
    summary = next(attrs for tag, attrs in page.tags if tag == "div" and attrs.get("class") == "faults")
    assert summary["role"] == "alert"
    assert "autofocus" in summary
    assert "#phone" in page.links
    assert person.open(page.path).input("phone")["value"] == typed, "reload and language switch keep it"


def test_another_code_within_a_minute(person: Person, site: Site, sandbox: Sandbox) -> None:
    page = person.press(at_the_code(person, site), "/code/again")
    assert page.name == "code"
    assert "操作过于频繁" in page.text


def test_a_double_press_signs_in_once(person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs) -> None:
    page = at_the_code(person, site)
    code = person.last_code(sandbox, run_jobs)
    form = page.form("/code")
    before = person.http.get_cookie("sso")
    first = person.post(page, "/code", code=code)
    assert before is not None
    person.http.set_cookie("sso", before.value)  # the answer of the first press never arrived
    second = person.http.post(form.action, data={**form.fields, "code": code})
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert sessions_open() == 1
    person.follow(second)
    assert "code" in person.back_with()


def test_two_presses_at_once_sign_in_once(person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs) -> None:
    page = at_the_code(person, site)
    code = person.last_code(sandbox, run_jobs)
    form, app = page.form("/code"), person.http.application
    cookies = "; ".join(f"{c.key}={c.value}" for c in (person.http._cookies or {}).values())
    answers: list[int] = []
    places: set[str] = set()

    def press() -> None:
        answer = app.test_client(use_cookies=False).post(
            form.action, data={**form.fields, "code": code}, headers={"Cookie": cookies}
        )
        answers.append(answer.status_code)
        places.add(answer.location)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [303] * 4
    assert places == {form.action.removesuffix("/code")}
    assert sessions_open() == 1


def test_the_old_cookie_alone_gets_nothing(person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs) -> None:
    """Whoever planted the browser's cookie can't follow it through the sign-in."""
    page = at_the_code(person, site)
    code = person.last_code(sandbox, run_jobs)
    before = person.http.get_cookie("sso")
    person.post(page, "/code", code=code)
    assert before is not None
    person.http.set_cookie("sso", before.value)
    assert person.open(page.path.removesuffix("/code")).status == 410
    form = page.form("/code")
    again = person.http.post(form.action, data={**form.fields, "code": wrong(code)})
    assert again.status_code == 410


def test_back_after_signing_in_leads_on(person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs) -> None:
    page = person.arrive(site, scope="openid profile")
    consent = person.sign_in(page, sandbox, run_jobs)
    assert consent.name == "consent"
    for old in ("/ways", "/phone", "/code", "/scan", "/account", "/proof"):
        assert person.open(consent.path.replace("/consent", old)).name == "consent"


def test_the_code_page_without_a_phone(person: Person, site: Site) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/code"))
    assert page.name == "phone"


def test_redis_away_is_said(person: Person, site: Site, settings: Settings) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    cache.configure(f"redis://127.0.0.1:{free_port()}/0")
    try:
        page = person.press(page, "/phone", phone=PHONE)
        assert "相关服务暂时不可用" in page.text
        assert page.input("phone")["value"] == PHONE
    finally:
        cache.configure(settings.redis_url)


def test_a_hinted_number_is_filled_in(person: Person, site: Site) -> None:
    page = person.open(person.arrive(site, login_hint="+86 199 0000 0001").path.replace("/ways", "/phone"))
    assert page.input("phone")["value"] == PHONE
    page = person.open(person.arrive(site, login_hint="somebody").path.replace("/ways", "/phone"))
    assert page.input("phone")["value"] == ""


def test_a_frozen_account_is_told_and_not_signed_in(
    person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs
) -> None:
    person.sign_in(person.arrive(site), sandbox, run_jobs)
    with engine().begin() as connection:
        connection.execute(text("UPDATE subject SET state = 'FROZEN'"))
    after_a_minute()
    person.http.delete_cookie("sso")
    page = person.sign_in(person.arrive(site), sandbox, run_jobs)
    assert page.name == "code"
    assert "账号已暂停使用" in page.text
