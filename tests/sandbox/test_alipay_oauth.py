"""Alipay's authorisation page, tokens and certverify of the sandbox (PROTOCOLS 3.2, 3.3)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.sandbox.partners import Alipay
from tests.sandbox_client import Sandbox

BACK = "http://127.0.0.1:9/return?kept=1"


@pytest.fixture
def alipay(sandbox: Sandbox) -> Alipay:
    return Alipay(sandbox)


def page(sandbox: Sandbox, **over: str) -> str:
    asked = {
        "app_id": sandbox.credentials["alipay"]["app_id"],
        "scope": "auth_base",
        "redirect_uri": BACK,
        "state": "s t&a",
        **over,
    }
    return f"{sandbox.url}/alipay/oauth2/publicAppAuthorize.htm?{urlencode(asked)}"


def click(url: str, **form: str) -> dict[str, str]:
    assert requests.get(url, timeout=5).status_code == 200
    answer = requests.post(url, form, allow_redirects=False, timeout=5)
    assert answer.headers["Location"].startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def ask(alipay: Alipay, method: str, content: dict[str, Any], **over: str) -> dict[str, Any]:
    """The inner object of an answer whose signature is right; an `error_response` has none."""
    text = alipay.raw(method, content, **over)
    name = next(iter(json.loads(text)))
    if name == "error_response":
        assert "sign" not in json.loads(text)
        return dict(json.loads(text)[name])
    assert alipay.verifies(text[len(name) + 4 : text.rindex(',"sign":"')], json.loads(text)["sign"])
    found: dict[str, Any] = json.loads(text)[name]
    return found


def token(alipay: Alipay, code: str) -> dict[str, Any]:
    return ask(alipay, "alipay.system.oauth.token", {}, grant_type="authorization_code", code=code)


def test_agreeing_leads_back_with_a_code_good_for_one_token(sandbox: Sandbox, alipay: Alipay) -> None:
    back = click(page(sandbox), act="agree", persona="zhang-wei")
    assert (back["state"], back["scope"], back["kept"]) == ("s t&a", "auth_base", "1")
    made = token(alipay, back["auth_code"])
    assert made["access_token"]
    assert "code" not in made, "a success of this method has no code"
    assert "user_id" not in made
    again = token(alipay, back["auth_code"])
    assert (again["code"], again["sub_code"]) == ("40002", "isv.code-invalid")


def test_refusing_leads_back_without_one(sandbox: Sandbox) -> None:
    assert "auth_code" not in click(page(sandbox), act="refuse")


@pytest.mark.parametrize("kind", ["open_id", "user_id", "both"])
def test_which_ids_a_token_tells(sandbox: Sandbox, alipay: Alipay, kind: str) -> None:
    sandbox.post("alipay/configure", ids=kind)
    made = token(alipay, click(page(sandbox), act="agree", persona="li-na")["auth_code"])
    told = {name for name in ("open_id", "user_id") if name in made}
    assert told == ({"open_id", "user_id"} if kind == "both" else {kind})


@pytest.mark.parametrize(
    "over",
    [
        {"app_id": "1"},
        {"scope": "all"},
        {"redirect_uri": "javascript:x"},
        {"scope": "id_verify", "cert_verify_id": "x"},
    ],
)
def test_a_page_that_asks_wrongly_is_refused(sandbox: Sandbox, over: dict[str, str]) -> None:
    assert requests.get(page(sandbox, **over), timeout=5).status_code == 400


@pytest.mark.parametrize(
    ("name", "number", "passed"),
    [
        ("张伟", "330299199003070013", "T"),
        ("张卫", "330299199003070013", "F"),
        ("张伟", "330299198805190020", "F"),
    ],
)
def test_certverify_says_whether_it_is_the_same_person(
    sandbox: Sandbox, alipay: Alipay, name: str, number: str, passed: str
) -> None:
    asked = {"user_name": name, "cert_type": "IDENTITY_CARD", "cert_no": number}
    verify_id = ask(alipay, "alipay.user.certdoc.certverify.preconsult", asked)["verify_id"]
    back = click(page(sandbox, scope="id_verify", cert_verify_id=verify_id), act="agree", persona="zhang-wei")
    assert back["cert_verify_id"] == verify_id
    made = token(alipay, back["auth_code"])
    method = "alipay.user.certdoc.certverify.consult"
    found = ask(alipay, method, {"verify_id": verify_id}, auth_token=made["access_token"])
    assert (found["code"], found["passed"]) == ("10000", passed)
    other = ask(alipay, "alipay.user.certdoc.certverify.preconsult", asked)["verify_id"]
    assert ask(alipay, method, {"verify_id": other}, auth_token=made["access_token"])["code"] == "40004"
    assert ask(alipay, method, {"verify_id": verify_id}, auth_token="made-up")["code"] == "20001"
