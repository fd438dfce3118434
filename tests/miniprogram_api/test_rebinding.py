"""Another phone or WeChat account, and numbers that changed hands, over HTTP (ID-3, ID-4)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from auth.identity.rules import Purpose
from tests.factories import auth as make
from tests.factories.identity import fresh_proof
from tests.sandbox_client import Sandbox

URL = "/api/v1/account"
PHONE = "19900000001"
CodeFor = Callable[[str, dict[str, str]], str]


@pytest.fixture
def code_for(client: FlaskClient, sandbox: Sandbox, run_jobs: Callable[..., None]) -> CodeFor:
    """The code that a phone gets for being bound by who signed in with these headers."""

    def send(phone: str, headers: dict[str, str]) -> str:
        asked = client.post("/api/v1/account/phone/code", json={"phone": phone}, headers=headers)
        assert (asked.status_code, set(asked.get_json())) == (202, {"expires_in", "resend_after"})
        run_jobs()
        code: str = sandbox.get("outbox.json", phone=phone)["messages"][0]["code"]
        return code

    return send


def test_a_new_phone(client: FlaskClient, citizen: Callable[..., Any], code_for: CodeFor, sandbox: Sandbox) -> None:
    card = make.resident_id()
    actor, headers = citizen(level=3, document=card)
    fresh_proof(actor, Purpose.CHANGE_PHONE, card)
    code = code_for(PHONE, headers)
    wrong = client.post(
        f"{URL}/phone", json={"phone": PHONE, "code": f"{(int(code) + 1) % 10**6:06d}"}, headers=headers
    )
    assert wrong.get_json()["code"] == "CODE_WRONG"
    answer = client.post(f"{URL}/phone", json={"phone": PHONE, "code": code}, headers=headers)
    assert (answer.status_code, answer.get_json()["level"]) == (200, 3)
    assert client.get(URL, headers=headers).get_json()["phone"].endswith(PHONE[-4:])


def test_a_code_for_signing_in_binds_nothing_and_one_of_another_device_neither(
    client: FlaskClient,
    citizen: Callable[..., Any],
    code_for: CodeFor,
    sandbox: Sandbox,
    run_jobs: Callable[..., None],
) -> None:
    """PROTOCOLS 5.3: whoever talks somebody out of a code gets nothing else for it."""
    card = make.resident_id()
    actor, headers = citizen(level=3, document=card)
    _, elsewhere = citizen(level=2)
    fresh_proof(actor, Purpose.CHANGE_PHONE, card)
    body = {"phone": PHONE, "code": code_for(PHONE, elsewhere)}
    assert client.post(f"{URL}/phone", json=body, headers=headers).get_json()["code"] == "CODE_WRONG"
    signing_in = body | {"channel": "APP"}
    assert client.post("/api/v1/login/code/verify", json=signing_in).get_json()["code"] == "CODE_WRONG"
    other = "19900000002"
    assert client.post("/api/v1/login/code", json={"phone": other}).status_code == 202
    run_jobs()
    body = {"phone": other, "code": sandbox.get("outbox.json", phone=other)["messages"][0]["code"]}
    for path in (f"{URL}/phone", "/api/v1/login/phone"):
        assert client.post(path, json=body, headers=headers).get_json()["code"] == "CODE_WRONG"
    assert client.post("/api/v1/login/code/verify", json=body | {"channel": "APP"}).status_code == 200


def test_codes_to_bind_are_for_who_is_signed_in(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    asked = f"{URL}/phone/code"
    assert client.post(asked, json={"phone": PHONE}).status_code == 401
    _, headers = citizen(level=1)
    statuses = [
        client.post(asked, json={"phone": f"1990000{number:04d}"}, headers=headers).status_code for number in range(11)
    ]
    assert statuses == [202] * 10 + [429]


def test_without_a_fresh_proof_the_answer_names_the_ways(
    client: FlaskClient, citizen: Callable[..., Any], code_for: CodeFor
) -> None:
    """RFC 9470; the way over the network ID begins at the address the answer gives."""
    _, headers = citizen(level=3)
    body = {"phone": PHONE, "code": code_for(PHONE, headers)}
    answer = client.post(f"{URL}/phone", json=body, headers=headers)
    problem = answer.get_json()
    assert (answer.status_code, problem["code"], problem["purpose"]) == (401, "AUTH_LEVEL_TOO_LOW", "CHANGE_PHONE")
    calls = {way["way"]: way["call"] for way in problem["ways"] if way["open"]}
    assert calls["NETID_PIN"] == "/api/v1/identity/network"


def test_another_wechat_account(client: FlaskClient, citizen: Callable[..., Any], sandbox: Sandbox) -> None:
    card = make.resident_id()
    actor, headers = citizen(level=3, document=card)
    fresh_proof(actor, Purpose.CHANGE_WECHAT, card)
    code = sandbox.post("wechat/login-code", persona="li-na")["code"]
    answer = client.post(f"{URL}/wechat", json={"code": code}, headers=headers)
    assert (answer.status_code, answer.get_json()["level"]) == (200, 3)
    again = sandbox.post("wechat/login-code", persona="li-na")["code"]
    signed_in = client.post("/api/v1/login/wechat", json={"code": again}).get_json()
    assert signed_in["level"] == 3
    used = client.post(f"{URL}/wechat", json={"code": code}, headers=headers)
    assert used.get_json()["code"] == "LOGIN_CODE_INVALID"


def test_this_number_is_mine_now(client: FlaskClient, citizen: Callable[..., Any], sandbox: Sandbox) -> None:
    phone = make.phone_number()
    _, owner = citizen(level=3, phone=phone)
    headers = make.headers_for(make.signed_in_by_phone(phone))
    answer = client.post(f"{URL}/phone/new-owner", headers=headers)
    assert (answer.status_code, answer.get_json()["level"]) == (200, 1)
    assert client.get(URL, headers=owner).get_json()["phone"] is None
    assert client.post(f"{URL}/phone/new-owner", headers=headers).get_json()["code"] == "NOT_A_NEW_OWNER"


@pytest.mark.parametrize("path", ["phone", "wechat", "phone/new-owner"])
def test_level_0_changes_nothing(client: FlaskClient, citizen: Callable[..., Any], path: str) -> None:
    _, headers = citizen(level=0)
    answer = client.post(f"{URL}/{path}", json={}, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "AUTH_LEVEL_TOO_LOW")


def test_an_old_card_number_says_what_is_wrong_with_it(
    client: FlaskClient, citizen: Callable[..., Any], sandbox: Sandbox
) -> None:
    """PROTOCOLS 6: a number of 15 digits is no valid document any more; nobody is asked about it."""
    _, headers = citizen(level=1)
    body = {"name": "张伟", "document_type": "111", "document_number": "330299900307001"}
    answer = client.post("/api/v1/identity/name-and-number", json=body, headers=headers)
    assert answer.status_code == 422
    assert "document_number" in answer.get_json()["errors"]
    assert sandbox.get("calls.json", partner="identity-authority")["calls"] == []
