"""Whose request it is: the form's key, foreign browsers, expired and answered requests, saying no; and what every page sends."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from core.db import engine
from gateway.oidc.pages.texts import KINDS, TEXTS
from gateway.oidc.pages.texts import text as sentence
from tests.factories import oidc
from tests.factories.oidc import Site
from tests.gateway.oidc.pages.person import PHONE, Person
from tests.sandbox_client import Sandbox

Jobs = Callable[..., None]
TEMPLATES = Path(__file__).resolve().parents[4] / "gateway" / "templates" / "oidc"


def test_a_form_without_its_key_does_nothing(person: Person, site: Site, sandbox: Sandbox, run_jobs: Jobs) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    for key in ("", "1.x", page.form("/phone").fields["form_key"][0] + "x"):
        refused = person.press(page, "/phone", phone=PHONE, form_key=key)
        assert refused.status == 403
        assert "请再操作一次" in refused.text
        assert page.path.removesuffix("/phone") in refused.links
    run_jobs()
    assert sandbox.get("outbox.json", phone=PHONE)["messages"] == []


def test_the_key_of_another_browser_is_none(person: Person, another: Callable[..., Person], site: Site) -> None:
    other = another()
    foreign = other.open(other.arrive(site).path.replace("/ways", "/phone")).form("/phone").fields["form_key"]
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    assert person.press(page, "/phone", phone=PHONE, form_key=foreign).status == 403


def test_the_key_of_another_request_of_this_browser_is_none(person: Person, site: Site) -> None:
    first = person.open(person.arrive(site).path.replace("/ways", "/phone")).form("/phone").fields["form_key"]
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    assert person.press(page, "/phone", phone=PHONE, form_key=first).status == 403


@pytest.mark.parametrize("path", ["", "/ways", "/phone", "/code", "/scan", "/consent", "/proof", "/document", "/halls"])
def test_another_browsers_request(person: Person, another: Callable[..., Person], site: Site, path: str) -> None:
    start = person.arrive(site).path.removesuffix("/ways")
    page = another().open(start + path)
    assert page.status == 410
    assert "这个页面已经过期" in page.text
    assert "https://tax.example.gov.cn/login" in page.links
    assert page.forms == []


@pytest.mark.parametrize("ending", ["phone", "code", "code/again", "scan", "alipay", "account", "refuse", "consent"])
def test_posts_to_another_browsers_request(
    person: Person, another: Callable[..., Person], site: Site, ending: str
) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    form = page.form("/phone")
    answer = another().http.post(page.path.removesuffix("phone") + ending, data={**form.fields, "phone": PHONE})
    assert answer.status_code == 410


def test_an_unknown_request(person: Person) -> None:
    page = person.open("/oidc/sign-in/" + "x" * 43)
    assert page.status == 410
    assert page.forms == []


def test_an_expired_request(person: Person, site: Site) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    with engine().begin() as connection:
        connection.execute(text("UPDATE oidc_interaction SET expires_at = now() - interval '1 second'"))
    late = person.press(page, "/phone", phone=PHONE)
    assert late.status == 410
    assert "回到原来的网站" in late.text
    assert "https://tax.example.gov.cn/login" in late.links


def test_saying_no_goes_back_to_the_site(person: Person, site: Site) -> None:
    page = person.arrive(site)
    person.press(page, "/refuse")
    assert person.left_to.startswith(site.callback.split("?")[0])
    back = person.back_with()
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "st-1", "http://localhost")
    assert person.press(page, "/refuse").path == "/outside", "twice does no harm"


def test_no_script_no_foreign_address_no_frame(
    person: Person, another: Callable[..., Person], site: Site, sandbox: Sandbox, run_jobs: Jobs
) -> None:
    start = person.arrive(site)
    pages = [start, *(person.open(start.path.replace("/ways", path)) for path in ("/phone", "/code"))]
    pages += [another().open(start.path), person.open("/oidc/scan/" + "x" * 32)]
    for page in pages:
        policy = page.answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert page.answer.headers["Cache-Control"] == "no-store"
        assert page.answer.headers["Referrer-Policy"] == "no-referrer"
        assert "<script" not in page.html
        assert re.search(r"""\sstyle=|\son[a-z]+=""", page.html) is None
        for tag, known in page.tags:
            assert tag not in {"img", "iframe", "object", "embed"}
            if tag == "link":
                assert str(known["href"]).startswith("/oidc/")
    assert "form-action 'self' https://tax.example.gov.cn" in pages[0].answer.headers["Content-Security-Policy"]


def test_an_apps_own_scheme_may_be_led_to(person: Person) -> None:
    app = oidc.public_site(redirect_uris=("cn.gov.ningbo.tax:/callback",))
    policy = person.arrive(app).answer.headers["Content-Security-Policy"]
    assert "form-action 'self' cn.gov.ningbo.tax: " in policy


def test_cookies_are_for_this_host_and_no_script(person: Person, site: Site) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    given = person.post(page, "/phone", phone="abc").headers.getlist("Set-Cookie")
    (desk,) = [one for one in given if one.startswith("desk=")]
    assert "HttpOnly" in desk
    assert "SameSite=Lax" in desk
    assert f"Path={page.path.removesuffix('/phone')}" in desk
    assert "abc" not in desk


def test_a_forged_desk_is_an_empty_one(person: Person, site: Site) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    for forged in ("x", "eyJwaG9uZSI6ICIxIn0=", "é"):
        person.http.set_cookie("desk", forged, path="/oidc")
        assert person.open(page.path).input("phone")["value"] == ""


def test_the_style_is_kept_by_the_browser(app: Flask) -> None:
    answer = app.test_client().get("/oidc/pages.css")
    assert answer.content_type == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert "@import" not in answer.text
    assert "url(" not in answer.text


# Language and size ---------------------------------------------------------------------------------------------------


def test_english_by_the_sites_wish(person: Person, site: Site) -> None:
    page = person.arrive(site, ui_locales="en-GB zh")
    assert "How would you like to sign in?" in page.text
    assert "Property Registry" in page.text
    assert '<html lang="en"' in page.html
    assert page.answer.headers["Content-Language"] == "en"


def test_english_by_the_browser(another: Callable[..., Person], site: Site) -> None:
    page = another(Accept_Language="en-US,en;q=0.9").arrive(site)
    assert "How would you like to sign in?" in page.text


def test_the_switches_keep_the_place(person: Person, site: Site, sandbox: Sandbox) -> None:
    page = person.open(person.arrive(site).path.replace("/ways", "/phone"))
    page = person.press(page, "/phone", phone="123")
    switch = next(link for link in page.links if "lang=en" in link)
    page = person.open(switch)
    assert (page.name, page.input("phone")["value"]) == ("phone", "123")
    assert "The number of characters is wrong" in page.text
    page = person.open(next(link for link in page.links if "ui_mode=elder" in link))
    assert '<html lang="en" class="elder"' in page.html
    page = person.open(next(link for link in page.links if "lang=zh" in link))
    assert '<html lang="zh-CN" class="elder"' in page.html
    page = person.open(next(link for link in page.links if "ui_mode=normal" in link))
    assert 'class="elder"' not in page.html


def test_the_choice_is_remembered_and_goes_before_the_sites_wish(person: Person, site: Site) -> None:
    page = person.arrive(site)
    person.open(page.path + "?ui_mode=elder&lang=en")
    page = person.arrive(site, ui_locales="zh-CN")
    assert '<html lang="en" class="elder"' in page.html


def test_large_text_by_the_sites_wish(person: Person, site: Site) -> None:
    assert 'class="elder"' in person.arrive(site, ui_mode="elder").html
    assert 'class="elder"' in person.arrive(site).html
    assert 'class="elder"' in person.arrive(site, ui_mode="huge").html
    assert 'class="elder"' not in person.arrive(site, ui_mode="normal").html


def test_a_page_costs_few_queries(person: Person, site: Site, count_queries: Callable[[], Any]) -> None:
    page = person.arrive(site)
    with count_queries() as queries:
        person.http.get(page.path)
    assert len(queries) <= 8


@pytest.mark.parametrize("query", ["lang=fr", "ui_mode=huge", "lang=", "lang=en%0d%0aX: y"])
def test_made_up_switches_change_nothing(person: Person, site: Site, query: str) -> None:
    page = person.open(person.arrive(site).path + "?" + query)
    assert page.status == 200
    assert '<html lang="zh-CN">' in page.html


def test_every_sentence_is_in_both_languages_and_used() -> None:
    source = "\n".join(
        [path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.html")]
        + [path.read_text(encoding="utf-8") for path in Path(sentence.__code__.co_filename).parent.glob("*.py")]
    )
    made = {f"{kind}.title" for kind in ("stale", "slow", "often", "trouble")}
    for key, (zh, en) in TEXTS.items():
        assert f'"{key}"' in source or f"'{key}'" in source or key in made, f"{key} is not used"
        assert re.search(r"[\u4e00-\u9fff]", zh)
        assert not re.search(r"[\u4e00-\u9fff]", en)
        assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en)), key
    for key in re.findall(r"""\bt\(["']([\w.]+)["']""", source):
        assert key in TEXTS, key


def test_every_online_document_has_an_english_name() -> None:
    from auth.identity.ways.rules import ONLINE_DOCUMENTS

    assert set(KINDS) == {kind.value for kind in ONLINE_DOCUMENTS}


# Contrast and size, of the style itself ------------------------------------------------------------------------------

STYLE = (TEMPLATES.parent.parent / "static" / "oidc" / "pages.css").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_and_sizes_for_old_people() -> None:
    """DG-6: at least 4.5:1; 18 px and more, 24 px and more in the large version; targets of 48 px."""
    named = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", STYLE))
    for ink in ("ink", "quiet", "act", "bad"):
        for ground in ("paper", "ground", "note", "bad-ground"):
            assert contrast(named[ink], named[ground]) >= 4.5, (ink, ground)
    assert contrast("#ffffff", named["act"]) >= 4.5
    assert contrast(named["ink"], "#dbe6f5") >= 4.5
    assert contrast(named["line"], named["paper"]) >= 3
    base, elder = (int(size) for size in re.findall(r"font-size: (\d+)px", STYLE))
    smallest = min(float(size) for size in re.findall(r"font-size: (\d*\.?\d+)rem", STYLE))
    assert base * smallest >= 18
    assert elder * smallest >= 23
    assert min(int(size) for size in re.findall(r"min-height: (\d+)px", STYLE)) >= 48
