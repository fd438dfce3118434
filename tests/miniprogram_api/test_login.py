"""Signing in over HTTP, with the sandbox's WeChat and short messages."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from core import cache
from core.db import transaction
from core.settings import Settings
from tests.factories import auth as make
from tests.sandbox_client import Sandbox, free_port

URL = "/api/v1/login"
PHONE = "19900000001"


def code_on(sandbox: Sandbox, phone: str = PHONE) -> str:
    return str(sandbox.get("outbox.json", phone=phone)["messages"][0]["fields"]["code"])


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def by_code(client: FlaskClient, sandbox: Sandbox, run_jobs: Callable[..., None], channel: str = "H5") -> Any:
    assert client.post(f"{URL}/code", json={"phone": PHONE}).status_code == 202
    run_jobs()
    return client.post(f"{URL}/code/verify", json={"phone": PHONE, "code": code_on(sandbox), "channel": channel})


def by_wechat(client: FlaskClient, sandbox: Sandbox, persona: str = "zhang-wei") -> dict[str, Any]:
    code = sandbox.post("wechat/login-code", persona=persona)["code"]
    answer = client.post(f"{URL}/wechat", json={"code": code})
    assert answer.status_code == 200
    return dict(answer.get_json())


def test_sign_in_by_code(client: FlaskClient, sandbox: Sandbox, run_jobs: Callable[..., None]) -> None:
    answer = by_code(client, sandbox, run_jobs)
    assert answer.status_code == 200
    tokens = answer.get_json()
    assert (tokens["level"], tokens["expires_in"], tokens["refresh_expires_in"]) == (1, 900, 86_400)
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/api/v1/account", headers=bearer(tokens)).get_json()["phone"] == "199****0001"


def test_a_wrong_code_is_refused_and_a_used_one_too(
    client: FlaskClient, sandbox: Sandbox, run_jobs: Callable[..., None]
) -> None:
    assert by_code(client, sandbox, run_jobs).status_code == 200
    body = {"phone": PHONE, "code": code_on(sandbox), "channel": "H5"}
    answer = client.post(f"{URL}/code/verify", json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "CODE_WRONG")
    assert "5" in answer.get_json()["detail"]


def test_the_answer_is_the_same_for_known_and_unknown_phones(
    client: FlaskClient, sandbox: Sandbox, citizen: Callable[..., Any]
) -> None:
    citizen(level=2, phone="+86" + PHONE)
    known, unknown = (client.post(f"{URL}/code", json={"phone": phone}) for phone in (PHONE, "19900000002"))
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, known.data)
    assert {k for k, _ in known.headers} == {k for k, _ in unknown.headers}
    body = {"code": "000000", "channel": "H5"}
    known, unknown = (
        client.post(f"{URL}/code/verify", json={"phone": phone, **body}, headers={"X-Request-Id": "same-for-both"})
        for phone in (PHONE, "19900000003")
    )
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data)
    assert known.status_code == 401


def test_the_time_is_the_same_for_known_and_unknown_phones(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    """Medians of nine each, taken in turn: no difference that a caller could build on."""
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    for turn in range(9):
        citizen(level=2, phone=f"+8619911110{turn:03d}")
        for kind, prefix in (("known", "19911110"), ("unknown", "19922220")):
            began = time.perf_counter()
            answer = client.post(f"{URL}/code", json={"phone": f"{prefix}{turn:03d}"})
            took[kind].append(time.perf_counter() - began)
            assert answer.status_code == 202
    known, unknown = (statistics.median(times) for times in took.values())
    assert max(known, unknown) < 2 * min(known, unknown) + 0.02


def test_20_codes_an_hour_per_address(client: FlaskClient) -> None:
    statuses = [client.post(f"{URL}/code", json={"phone": f"199333300{n:02d}"}).status_code for n in range(22)]
    assert statuses == [202] * 20 + [429] * 2


def test_10_codes_an_hour_per_device(client: FlaskClient) -> None:
    """From whatever address, as long as it says which device it is."""

    def ask(number: int, **headers: str) -> int:
        body = {"phone": f"199333310{number:02d}"}
        address = {"REMOTE_ADDR": f"10.0.0.{number}"}
        return client.post(f"{URL}/code", json=body, headers=headers, environ_overrides=address).status_code

    assert [ask(number, **{"X-Device-Id": "device-0001"}) for number in range(12)] == [202] * 10 + [429] * 2
    assert ask(20, **{"X-Device-Id": "device-0002"}) == 202
    assert ask(21) == 202
    assert ask(22, **{"X-Device-Id": "no"}) == 422


def test_the_next_code_after_a_minute(client: FlaskClient) -> None:
    assert client.post(f"{URL}/code", json={"phone": PHONE}).get_json() == {"expires_in": 300, "resend_after": 60}
    answer = client.post(f"{URL}/code", json={"phone": PHONE})
    assert (answer.status_code, answer.get_json()["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": ""},
        {"phone": "12345"},
        {"phone": 19900000001},
        {"phone": PHONE, "purpose": "other"},
        {"phone": "1" * 41},
    ],
)
def test_what_is_no_phone_is_said_to_be_wrong(client: FlaskClient, body: dict[str, Any]) -> None:
    answer = client.post(f"{URL}/code", json=body)
    assert answer.status_code == 422
    assert PHONE not in answer.get_data(as_text=True)


@pytest.mark.parametrize("channel", ["HALL", "HOTLINE", "TV", ""])
def test_only_channels_of_citizens_open_sessions(client: FlaskClient, channel: str) -> None:
    body = {"phone": PHONE, "code": "123456", "channel": channel}
    assert client.post(f"{URL}/code/verify", json=body).status_code == 422


def test_without_redis_codes_are_unavailable_and_the_rest_goes_on(
    client: FlaskClient, sandbox: Sandbox, settings: Settings
) -> None:
    cache.configure(f"redis://127.0.0.1:{free_port()}")
    try:
        answer = client.post(f"{URL}/code", json={"phone": PHONE})
        assert (answer.status_code, answer.get_json()["code"]) == (503, "SOURCE_UNAVAILABLE")
        tokens = by_wechat(client, sandbox)
        assert client.get("/api/v1/account", headers=bearer(tokens)).status_code == 200
    finally:
        cache.configure(settings.redis_url)


def test_wechat_then_the_phone(client: FlaskClient, sandbox: Sandbox) -> None:
    """The first steps of the main story, with the same token throughout."""
    tokens = by_wechat(client, sandbox)
    assert tokens["level"] == 0
    code = sandbox.post("wechat/phone-code", persona="zhang-wei")["code"]
    answer = client.post(f"{URL}/wechat/phone", json={"code": code}, headers=bearer(tokens))
    assert (answer.status_code, answer.get_json()["level"]) == (200, 1)
    assert client.get("/api/v1/account", headers=bearer(tokens)).get_json()["level"] == 1
    assert by_wechat(client, sandbox)["level"] == 1


def test_a_code_of_wechat_works_once(client: FlaskClient, sandbox: Sandbox) -> None:
    code = sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    assert client.post(f"{URL}/wechat", json={"code": code}).status_code == 200
    for again in (code, "made-up"):
        answer = client.post(f"{URL}/wechat", json={"code": again})
        assert (answer.status_code, answer.get_json()["code"]) == (401, "LOGIN_CODE_INVALID")


def test_wechat_away(client: FlaskClient, sandbox: Sandbox) -> None:
    code = sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    sandbox.fault("wechat", "error", path="jscode2session")
    answer = client.post(f"{URL}/wechat", json={"code": code})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "SOURCE_UNAVAILABLE")
    assert "wechat" not in answer.get_data(as_text=True).lower().replace("/api/v1/login/wechat", "")


def test_the_session_key_of_wechat_goes_nowhere(client: FlaskClient, sandbox: Sandbox) -> None:
    assert "session_key" not in str(by_wechat(client, sandbox))


def test_refresh_and_its_reuse(client: FlaskClient, sandbox: Sandbox) -> None:
    first = by_wechat(client, sandbox)
    second = client.post(f"{URL}/refresh", json={"refresh_token": first["refresh_token"]}).get_json()
    assert second["session_id"] == first["session_id"]
    third = client.post(f"{URL}/refresh", json={"refresh_token": second["refresh_token"]}).get_json()
    assert client.get("/api/v1/account", headers=bearer(third)).status_code == 200
    reused = client.post(f"{URL}/refresh", json={"refresh_token": first["refresh_token"]})
    assert (reused.status_code, reused.get_json()["code"]) == (401, "NOT_AUTHENTICATED")
    for token in (second, third):
        assert client.post(f"{URL}/refresh", json={"refresh_token": token["refresh_token"]}).status_code == 401
    assert client.get("/api/v1/account", headers=bearer(third)).status_code == 401


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(client: FlaskClient, sandbox: Sandbox) -> None:
    tokens = by_wechat(client, sandbox)
    assert client.post(f"{URL}/refresh", json={"refresh_token": tokens["access_token"][:200]}).status_code == 401
    swapped = {"Authorization": f"Bearer {tokens['refresh_token']}"}
    assert client.get("/api/v1/account", headers=swapped).status_code == 401


def test_signing_out(client: FlaskClient, sandbox: Sandbox) -> None:
    tokens = by_wechat(client, sandbox)
    assert client.post(f"{URL}/logout", headers=bearer(tokens)).status_code == 204
    answer = client.get("/api/v1/account", headers=bearer(tokens))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.post(f"{URL}/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code == 401


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{URL}/logout"),
        ("POST", f"{URL}/wechat/phone"),
        ("POST", "/api/v1/identity/name-and-number"),
        ("GET", "/api/v1/account"),
        ("GET", "/api/v1/account/sessions"),
        ("GET", "/api/v1/account/sign-ins"),
        ("GET", "/api/v1/account/consents"),
    ],
)
def test_without_a_token_there_is_nothing(client: FlaskClient, method: str, path: str, header: dict[str, str]) -> None:
    answer = client.open(path, method=method, headers=header, json={} if method == "POST" else None)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "NOT_AUTHENTICATED")


def test_a_session_of_staff_is_none_of_a_citizen_and_the_other_way_round(
    client: FlaskClient, citizen: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    _, mine = citizen(level=2)
    _, theirs = staff("FRONT_CLERK")
    assert client.get("/api/v1/account", headers=theirs).status_code == 401
    assert client.get("/staff/v1/me", headers=mine).status_code == 401
    assert client.get("/staff/v1/me", headers=theirs).status_code == 200


def test_a_level_too_low_says_how_to_reach_it(client: FlaskClient, citizen: Callable[..., Any], app: Flask) -> None:
    """RFC 9470, and every address among the ways is one of ours."""
    _, headers = citizen(level=0)
    answer = client.get("/api/v1/account/sign-ins", headers=headers)
    body = answer.get_json()
    assert (answer.status_code, body["code"], body["needed_level"], body["level"]) == (401, "AUTH_LEVEL_TOO_LOW", 1, 0)
    assert 'error="insufficient_user_authentication"' in answer.headers["WWW-Authenticate"]
    assert 'acr_values="level1"' in answer.headers["WWW-Authenticate"]
    assert [way["way"] for way in body["ways"]] == ["WECHAT_PHONE", "PHONE_CODE"]
    ours = {rule.rule for rule in app.url_map.iter_rules()}
    assert {way["call"] for way in body["ways"]} <= ours


def test_the_factory_signs_people_in_for_real(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    for level in (0, 1, 2, 3):
        actor, headers = citizen(level=level)
        assert client.get("/api/v1/account", headers=headers).get_json()["level"] == level == actor.level
    assert make.resident_id(7) == make.resident_id(7)


# WeChat's older form, and a phone by its code --------------------------------------------------------------------------


def test_sign_in_with_a_sealed_phone_is_level_1_at_once(client: FlaskClient, sandbox: Sandbox) -> None:
    sealed = sandbox.post("wechat/sealed-phone", persona="zhang-wei")
    body = {"code": sealed["code"], "encrypted_data": sealed["encryptedData"], "iv": sealed["iv"]}
    signed_in = client.post("/api/v1/login/wechat/sealed-phone", json=body)
    assert signed_in.status_code == 200
    tokens = signed_in.get_json()
    assert tokens["level"] == 1
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/api/v1/account", headers=headers).get_json()["phone"] == "199****0001"
    again = client.post("/api/v1/login/wechat/sealed-phone", json=body)
    assert (again.status_code, again.get_json()["code"]) == (401, "LOGIN_CODE_INVALID")


def test_a_sealed_phone_that_does_not_open_signs_nobody_in(client: FlaskClient, sandbox: Sandbox) -> None:
    sealed = sandbox.post("wechat/sealed-phone", persona="zhang-wei", age=3_600)
    body = {"code": sealed["code"], "encrypted_data": sealed["encryptedData"], "iv": sealed["iv"]}
    refused = client.post("/api/v1/login/wechat/sealed-phone", json=body)
    assert (refused.status_code, refused.get_json()["code"]) == (401, "LOGIN_CODE_INVALID")
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM subject")) == 0


def test_a_signed_in_person_adds_a_phone_by_its_code(
    client: FlaskClient, sandbox: Sandbox, citizen: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    _, headers = citizen(level=0, channel="H5")
    client.post("/api/v1/account/phone/code", json={"phone": "19900000001"}, headers=headers)
    run_jobs()
    code = sandbox.get("outbox.json", phone="19900000001")["messages"][0]["code"]
    wrong = client.post(
        "/api/v1/login/phone", json={"phone": "19900000001", "code": f"{(int(code) + 1) % 10**6:06d}"}, headers=headers
    )
    assert (wrong.status_code, wrong.get_json()["code"]) == (401, "CODE_WRONG")
    added = client.post("/api/v1/login/phone", json={"phone": "19900000001", "code": code}, headers=headers)
    assert (added.status_code, added.get_json()["level"]) == (200, 1)
