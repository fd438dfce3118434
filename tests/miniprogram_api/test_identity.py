"""Proving name and number over HTTP, against the sandbox's population source."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.sandbox_client import Sandbox

URL = "/api/v1/identity/name-and-number"


@pytest.fixture
def personas(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    return {persona["key"]: persona for persona in sandbox.get("personas.json")["personas"]}


def card(persona: dict[str, Any], **other: str) -> dict[str, str]:
    return {key: str(persona[key]) for key in ("name", "document_type", "document_number")} | other


def test_a_match(client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any]) -> None:
    _, headers = citizen(level=1)
    answer = client.post(URL, json=card(personas["zhang-wei"]), headers=headers)
    body = answer.get_json()
    assert (answer.status_code, body["result"], body["level"], body["look_again_at"]) == (200, "MATCH", 2, None)
    assert body["token"]["level"] == 2
    account = client.get("/api/v1/account", headers=headers).get_json()
    assert (account["level"], account["name"], account["document_label"]) == (2, "张*", "居民身份证")
    number = personas["zhang-wei"]["document_number"]
    assert account["document_number"] == number[:4] + "*" * 10 + number[-4:]


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("mismatch", 422, "IDENTITY_NOT_MATCHED"),
        ("not-found", 422, "IDENTITY_NOT_MATCHED"),
        ("expired", 422, "IDENTITY_DOCUMENT_EXPIRED"),
        ("deceased", 403, "IDENTITY_NOT_USABLE"),
        ("cancelled", 403, "IDENTITY_NOT_USABLE"),
    ],
)
def test_refusals_tell_no_secret(
    client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any], key: str, status: int, code: str
) -> None:
    _, headers = citizen(level=1)
    answer = client.post(URL, json=card(personas[key]), headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    shown = answer.get_data(as_text=True)
    assert personas[key]["document_number"] not in shown
    assert personas[key]["name"] not in shown
    assert client.get("/api/v1/account", headers=headers).get_json()["level"] == 1


def test_a_wrong_name_and_an_unknown_number_look_the_same(
    client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any]
) -> None:
    _, headers = citizen(level=1)
    same = {**headers, "X-Request-Id": "same-for-both"}
    wrong_name = client.post(URL, json=card(personas["zhang-wei"], name="张不伟"), headers=same)
    no_such = client.post(URL, json=card(personas["not-found"]), headers=same)
    assert (wrong_name.status_code, wrong_name.data) == (no_such.status_code, no_such.data)


def test_death_and_cancellation_look_the_same(
    client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any]
) -> None:
    """ID-12: that somebody died is told to nobody who has merely the number."""
    _, headers = citizen(level=1)
    same = {**headers, "X-Request-Id": "same-for-both"}
    dead, cancelled = (client.post(URL, json=card(personas[key]), headers=same) for key in ("deceased", "cancelled"))
    assert dead.data == cancelled.data


def test_a_review_says_when_to_look_again(
    client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any]
) -> None:
    _, headers = citizen(level=1)
    body = client.post(URL, json=card(personas["review"]), headers=headers).get_json()
    assert (body["result"], body["level"]) == ("REVIEW", 1)
    assert body["look_again_at"].endswith("+08:00")
    waiting = [e for e in client.get("/api/v1/account", headers=headers).get_json()["evidence"] if e["look_again_at"]]
    assert [(e["type"], e["result"]) for e in waiting] == [("NAME_NUMBER", "REVIEW")]


def test_the_source_away(
    client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any], sandbox: Sandbox
) -> None:
    _, headers = citizen(level=1)
    sandbox.fault("identity-authority", "error")
    answer = client.post(URL, json=card(personas["zhang-wei"]), headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "SOURCE_UNAVAILABLE")
    assert client.post(URL, json=card(personas["zhang-wei"]), headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"document_number": "330299199003070014"}, "document_number"),
        ({"document_number": "12345"}, "document_number"),
        ({"document_type": "113"}, "document_type"),
        ({"document_type": "999"}, "document_type"),
        ({"name": "张·"}, "name"),
        ({"name": "\u0007"}, "name"),
        ({"level": "3"}, "level"),
    ],
)
def test_faults_are_shown_at_their_field(
    client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any], change: dict[str, str], field: str
) -> None:
    _, headers = citizen(level=1)
    answer = client.post(URL, json=card(personas["zhang-wei"]) | change, headers=headers)
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"]


def test_other_documents_than_the_resident_id(
    client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any]
) -> None:
    """ID-10, PEERS 4.2: permanent residents, 港澳台 permits, names with a dot and characters beyond the BMP."""
    adults = [p for p in personas.values() if p["outcome"] == "MATCH" and p["document_type"] != "117"]
    kinds = {p["document_type"] for p in adults}
    assert {"111", "553"} <= kinds
    for persona in adults:
        _, headers = citizen(level=1)
        answer = client.post(URL, json=card(persona), headers=headers)
        assert answer.status_code == 200, persona["key"]
        assert answer.get_json()["level"] == 2, persona["key"]


def test_level_0_binds_the_phone_first(
    client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any]
) -> None:
    _, headers = citizen(level=0)
    answer = client.post(URL, json=card(personas["zhang-wei"]), headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "AUTH_LEVEL_TOO_LOW")


def test_one_person_on_two_devices_is_one_person(
    client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any]
) -> None:
    """ID-3: the token of the absorbed sign-in goes on working, for the person it turned out to be."""
    (_, first), (_, second) = citizen(level=1), citizen(level=1)
    for headers in (first, second):
        assert client.post(URL, json=card(personas["li-na"]), headers=headers).status_code == 200
    devices = client.get("/api/v1/account/sessions", headers=first).get_json()["items"]
    assert len(devices) == 2
    assert devices == [
        {**device, "current": not device["current"]}
        for device in client.get("/api/v1/account/sessions", headers=second).get_json()["items"]
    ]


def test_the_person_hears_of_it(client: FlaskClient, citizen: Callable[..., Any], personas: dict[str, Any]) -> None:
    """Joining an account by name and number is told to the account's owner, as a security notice."""
    (_, first), (_, second) = citizen(level=1), citizen(level=1)
    client.post(URL, json=card(personas["li-na"]), headers=first)
    client.post(URL, json=card(personas["li-na"]), headers=second)
    templates = [m["template"] for m in client.get("/api/v1/inbox", headers=first).get_json()["items"]]
    assert "IDENTITY_RAISED" in templates
    assert "SECURITY_NOTICE" in templates
