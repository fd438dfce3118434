"""Alipay over HTTP: sign-in and real name, from the first call to the token (PROTOCOLS 3.2, 3.3)."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from core.actors import Citizen
from core.identifiers import DocumentType, normalise_document
from partners.alipay.accounts import RETURN_PATH
from tests.alipay_browser import query_of, visit
from tests.sandbox_client import Sandbox

BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/130"}
Make = Callable[..., tuple[Citizen, dict[str, str]]]


def start(client: FlaskClient, **wanted: str) -> Any:
    body = {"channel": "H5", "return_to": "/me", **wanted}
    return client.post("/api/v1/login/alipay", json=body, headers=BROWSER)


def through(client: FlaskClient, url: str, persona: str | None) -> dict[str, str]:
    """The whole way of the browser: Alipay's page, our return address, and what arrives where the trip began."""
    page = requests.post(
        url, {"act": "agree" if persona else "refuse", "persona": persona or ""}, allow_redirects=False, timeout=5
    )
    back = page.headers["Location"]
    assert back.startswith("http://localhost" + RETURN_PATH + "?")
    onward = client.get(back)
    assert onward.status_code == 303
    assert onward.headers["Cache-Control"] == "no-store"
    assert onward.headers["Referrer-Policy"] == "no-referrer"
    assert onward.headers["Location"].startswith("http://localhost/me?")
    return query_of(onward.headers["Location"])


def test_sign_in_from_start_to_token(client: FlaskClient, sandbox: Sandbox) -> None:
    begun = start(client).get_json()
    assert begun["expires_in"] == 600
    found = through(client, begun["url"], "zhang-wei")
    body = {"state": found["state"], "auth_code": found["auth_code"], "secret": begun["secret"]}
    tokens = client.post("/api/v1/login/alipay/result", json=body)
    assert tokens.status_code == 200
    assert tokens.get_json()["level"] == 0
    headers = {"Authorization": f"Bearer {tokens.get_json()['access_token']}"}
    client.post("/api/v1/login/code", json={"phone": "19912300009"})
    assert client.post("/api/v1/login/logout", headers=headers).status_code == 204
    again = client.post("/api/v1/login/alipay/result", json=body)
    assert (again.status_code, again.get_json()["code"]) == (409, "REPLAYED")


def test_without_the_devices_secret_the_state_is_nothing(client: FlaskClient, sandbox: Sandbox) -> None:
    """Somebody who lures a browser through his own sign-in gets nothing, and gives nothing."""
    begun = start(client).get_json()
    found = through(client, begun["url"], "zhang-wei")
    other = start(client).get_json()
    body = {"state": found["state"], "auth_code": found["auth_code"], "secret": other["secret"]}
    refused = client.post("/api/v1/login/alipay/result", json=body)
    assert (refused.status_code, refused.get_json()["code"]) == (410, "REDIRECT_EXPIRED")


def test_whoever_cancels_is_told_so(client: FlaskClient, sandbox: Sandbox) -> None:
    begun = start(client).get_json()
    found = through(client, begun["url"], None)
    assert found == {"state": begun["state"], "error": "cancelled"}
    refused = client.post("/api/v1/login/alipay/result", json={"state": found["state"], "secret": begun["secret"]})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "ALIPAY_CANCELLED")


def test_alipay_away_is_said_and_a_new_start_works(client: FlaskClient, sandbox: Sandbox) -> None:
    begun = start(client).get_json()
    found = through(client, begun["url"], "zhang-wei")
    sandbox.fault("alipay", "error")
    body = {"state": found["state"], "auth_code": found["auth_code"], "secret": begun["secret"]}
    refused = client.post("/api/v1/login/alipay/result", json=body)
    assert (refused.status_code, refused.get_json()["code"]) == (503, "SOURCE_UNAVAILABLE")
    begun = start(client).get_json()
    found = through(client, begun["url"], "zhang-wei")
    body = {"state": found["state"], "auth_code": found["auth_code"], "secret": begun["secret"]}
    assert client.post("/api/v1/login/alipay/result", json=body).status_code == 200


@pytest.mark.parametrize("return_to", ["https://evil.example/", "//evil.example/me", "/\\evil.example"])
def test_no_open_redirect(client: FlaskClient, sandbox: Sandbox, return_to: str) -> None:
    refused = start(client, return_to=return_to)
    assert refused.status_code == 422
    assert "return_to" in refused.get_json()["errors"]


@pytest.mark.parametrize("channel", ["WXMP", "WXOA", "KIOSK"])
def test_never_inside_wechat_and_the_reason_is_given(client: FlaskClient, sandbox: Sandbox, channel: str) -> None:
    refused = start(client, channel=channel)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "ALIPAY_NOT_HERE")
    assert "微信" in refused.get_json()["detail"]
    inside = client.post(
        "/api/v1/login/alipay",
        json={"channel": "H5", "return_to": "/me"},
        headers={"User-Agent": "Mozilla/5.0 MicroMessenger/8.0.49"},
    )
    assert inside.get_json()["code"] == "ALIPAY_NOT_HERE"


@pytest.mark.parametrize("query", ["", "?state=made-up&auth_code=x", "?auth_code=x&app_id=1&scope=auth_base"])
def test_a_browser_that_comes_from_nowhere_gets_a_page(client: FlaskClient, query: str) -> None:
    page = client.get(RETURN_PATH + query, headers={"Accept-Language": "zh-CN"})
    assert page.status_code == 410
    assert page.content_type.startswith("text/html")
    assert "请返回重新开始" in page.text
    english = client.get(RETURN_PATH + query, headers={"Accept-Language": "en"})
    assert "go back and start again" in english.text


# Real name -----------------------------------------------------------------------------------------------------------


def test_real_name_from_start_to_level_3(client: FlaskClient, sandbox: Sandbox, citizen: Make) -> None:
    card = normalise_document(DocumentType.RESIDENT_ID, "330299199003070013")
    _, headers = citizen(level=2, name="张伟", document=card, channel="APP")
    begun = client.post("/api/v1/identity/alipay", json={"return_to": "/me"}, headers=headers).get_json()
    found = through(client, begun["url"], "zhang-wei")
    result = client.post("/api/v1/identity/alipay/result", json=found, headers=headers)
    assert result.status_code == 200
    assert (result.get_json()["result"], result.get_json()["level"]) == ("MATCH", 3)
    assert result.get_json()["token"]["level"] == 3
    again = client.post("/api/v1/identity/alipay/result", json=found, headers=headers)
    assert again.get_json()["code"] == "REPLAYED"


@pytest.mark.parametrize(("persona", "code"), [("li-na", "ALIPAY_OTHER_PERSON"), (None, "ALIPAY_CANCELLED")])
def test_real_name_refused(
    client: FlaskClient, sandbox: Sandbox, citizen: Make, persona: str | None, code: str
) -> None:
    _, headers = citizen(level=1, channel="H5")
    body = {"return_to": "/me", "name": "张伟", "document_number": "330299199003070013", "purpose": "CLOSE_ACCOUNT"}
    begun = client.post("/api/v1/identity/alipay", json=body, headers=headers).get_json()
    found = through(client, begun["url"], persona)
    found.pop("error", None)
    refused = client.post("/api/v1/identity/alipay/result", json=found, headers=headers)
    assert refused.get_json()["code"] == code


def test_an_unknown_purpose_and_a_missing_name_are_named(client: FlaskClient, citizen: Make) -> None:
    _, headers = citizen(level=1, channel="H5")
    wrong = client.post("/api/v1/identity/alipay", json={"return_to": "/me", "purpose": "FUN"}, headers=headers)
    assert set(wrong.get_json()["errors"]) == {"purpose"}
    wrong = client.post("/api/v1/identity/alipay", json={"return_to": "/me"}, headers=headers)
    assert set(wrong.get_json()["errors"]) == {"name", "document_number"}


def test_the_page_of_the_sandbox_can_be_clicked(client: FlaskClient, sandbox: Sandbox) -> None:
    begun = start(client).get_json()
    assert visit(begun["url"], "zhang-wei")["scope"] == "auth_base"
