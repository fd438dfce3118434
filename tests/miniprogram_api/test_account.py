"""The account page over HTTP: what is shown, to whom, and ending sessions."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient

from auth.factors import service as factors
from auth.sessions.rules import Origin
from core.db import transaction
from tests.factories import auth as make

URL = "/api/v1/account"


def test_the_account_is_masked(client: FlaskClient, citizen: Callable[..., Any], app: Flask) -> None:
    card = make.resident_id()
    _, headers = citizen(level=2, name="欧阳小明", phone="+8619912341234", document=card)
    answer = client.get(URL, headers=headers)
    body = answer.get_json()
    assert (body["level"], body["name"], body["phone"]) == (2, "欧阳*明", "199****1234")
    assert body["document_number"] == card.number[:4] + "*" * 10 + card.number[-4:]
    assert (body["document_type"], body["document_label"]) == ("111", "居民身份证")
    assert {e["type"]: e["result"] for e in body["evidence"]} == {
        "WECHAT": "PASS",
        "PHONE": "PASS",
        "NAME_NUMBER": "PASS",
    }
    ways = {way["way"]: way for way in body["ways"]}
    assert ways["HALL"]["open"] is True
    assert (ways["ALIPAY"]["open"], "微信" in ways["ALIPAY"]["reason"]) == (False, True)
    shown = answer.get_data(as_text=True)
    assert card.number not in shown
    assert "19912341234" not in shown


def test_the_account_in_english(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=1)
    body = client.get(URL, headers={**headers, "Accept-Language": "en"}).get_json()
    assert body["ways"][0]["label"] == "Confirm name and document number"


def test_the_ways_of_every_level_are_routes_of_ours(
    client: FlaskClient, citizen: Callable[..., Any], app: Flask
) -> None:
    ours = {rule.rule for rule in app.url_map.iter_rules()}
    for level in (0, 1, 2, 3):
        _, headers = citizen(level=level)
        ways = client.get(URL, headers=headers).get_json()["ways"]
        assert ways
        assert {way["call"] for way in ways if way["call"]} <= ours


def test_a_phones_new_owner_sees_no_name(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    """ID-4: signed in by the phone alone, not even the masked name and number of its earlier owner."""
    phone = make.phone_number()
    citizen(level=3, name="李雷", phone=phone)
    with transaction() as session:
        tokens = factors.sign_in_by_phone(session, phone=phone, proven=True, origin=Origin("H5")).insist()
    body = client.get(URL, headers={"Authorization": f"Bearer {tokens.access_token}"}).get_json()
    assert (body["level"], body["name"], body["document_number"], body["document_label"]) == (1, None, None, None)


def test_devices_are_listed_and_ended(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    actor, headers = citizen(level=2, phone=phone)
    with transaction() as session:
        tokens = factors.sign_in_by_phone(
            session, phone=phone, proven=True, origin=Origin("APP", "10.0.0.9", "old phone")
        ).insist()
    lost = {"Authorization": f"Bearer {tokens.access_token}"}
    assert client.get(URL, headers=lost).status_code == 200
    items = client.get(f"{URL}/sessions", headers=headers).get_json()["items"]
    assert [(d["channel"], d["device"], d["current"]) for d in items] == [
        ("APP", "old phone", False),
        ("WXMP", "tests", True),
    ]
    assert client.delete(f"{URL}/sessions/{tokens.session_id}", headers=headers).status_code == 204
    assert client.get(URL, headers=lost).status_code == 401
    assert client.get(URL, headers=headers).status_code == 200
    assert [d["id"] for d in client.get(f"{URL}/sessions", headers=headers).get_json()["items"]] == [
        str(actor.session_id)
    ]


def test_sessions_of_others_are_not_found(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    (_, headers), (other, other_headers) = citizen(level=2), citizen(level=2)
    for session_id in (other.session_id, uuid4()):
        answer = client.delete(f"{URL}/sessions/{session_id}", headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "NOT_FOUND")
    assert client.get(URL, headers=other_headers).status_code == 200


def test_the_sign_in_history(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    _, headers = citizen(level=2, phone=phone)
    citizen(level=2)
    with transaction() as session:
        factors.sign_in_by_phone(session, phone=phone, proven=False, origin=Origin("H5", "10.9.9.9", "stranger"))
    page = client.get(f"{URL}/sign-ins", headers=headers, query_string={"limit": 1}).get_json()
    assert [(e["method"], e["result"], e["address"]) for e in page["items"]] == [
        ("PHONE_CODE", "WRONG_CODE", "10.9.9.9")
    ]
    rest = client.get(f"{URL}/sign-ins", headers=headers, query_string={"cursor": page["next_cursor"]}).get_json()
    assert [(e["method"], e["result"], e["channel"]) for e in rest["items"]] == [("WECHAT", "OK", "WXMP")]
    assert rest["next_cursor"] is None


def test_consents_are_given_and_withdrawn(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=1)
    kinds = {c["kind"]: c for c in client.get(f"{URL}/consents", headers=headers).get_json()["items"]}
    assert kinds["FACE"]["given_at"] is None
    body = {"kind": "FACE", "text_version": kinds["FACE"]["text_version"]}
    given = client.post(f"{URL}/consents", json=body, headers=headers).get_json()["items"]
    assert [c["kind"] for c in given if c["given_at"]] == ["FACE"]
    assert client.delete(f"{URL}/consents/FACE", headers=headers).status_code == 204
    for gone in ("FACE", "NONSENSE"):
        assert client.delete(f"{URL}/consents/{gone}", headers=headers).status_code == 404
    old = client.post(f"{URL}/consents", json={"kind": "FACE", "text_version": "1999-01"}, headers=headers)
    assert (old.status_code, old.get_json()["code"]) == (409, "STATE_CONFLICT")
    wrong = client.post(f"{URL}/consents", json={"kind": "SOUL", "text_version": "2026-11"}, headers=headers)
    assert (wrong.status_code, list(wrong.get_json()["errors"])) == (422, ["kind"])


def test_all_other_devices_are_ended_at_once(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    _, headers = citizen(level=2, phone=phone)
    with transaction() as session:
        others = [
            factors.sign_in_by_phone(session, phone=phone, proven=True, origin=Origin("APP")).insist() for _ in range(2)
        ]
    assert client.delete(f"{URL}/sessions", headers=headers).get_json() == {"ended": 2}
    for tokens in others:
        gone = client.get(URL, headers={"Authorization": f"Bearer {tokens.access_token}"})
        assert gone.status_code == 401
    assert client.get(URL, headers=headers).status_code == 200


def test_devices_and_places_come_in_words(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=2)
    (device,) = client.get(f"{URL}/sessions", headers=headers).get_json()["items"]
    assert (device["device_name"], device["place"]) == ("微信小程序", "本机")
    (line,) = client.get(f"{URL}/sign-ins", headers={**headers, "Accept-Language": "en"}).get_json()["items"]
    assert (line["device_name"], line["place"]) == ("the WeChat mini-program", "this machine")


def test_not_me(client: FlaskClient, citizen: Callable[..., Any], staff: Callable[..., Any]) -> None:
    _, headers = citizen(level=1)
    _, other = citizen(level=1)
    (line,) = client.get(f"{URL}/sign-ins", headers=headers).get_json()["items"]
    assert client.post(f"{URL}/sign-ins/{line['id']}/not-me", headers=other).status_code == 404
    answer = client.post(f"{URL}/sign-ins/{line['id']}/not-me", headers=headers)
    assert (answer.status_code, answer.get_json()["sessions_ended"]) == (200, 1)
    assert client.get(URL, headers=headers).status_code == 401
    _, admin = staff("SECURITY_ADMIN")
    _, clerk = staff("FRONT_CLERK")
    reports = "/staff/v1/security/sign-in-reports"
    assert client.get(reports, headers=clerk).status_code == 403
    (report,) = client.get(reports, headers=admin).get_json()["items"]
    assert (report["id"], report["channel"]) == (answer.get_json()["report_id"], "WXMP")
    closed = client.post(f"{reports}/{report['id']}/close", json={"finding": "电话核实"}, headers=admin).get_json()
    assert (closed["finding"], closed["closed_at"] is None) == ("电话核实", False)
    assert client.get(reports, headers=admin).get_json()["items"] == []


def test_signing_out_clears_the_browser(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=1)
    answer = client.post("/api/v1/login/logout", headers=headers)
    assert (answer.status_code, answer.headers["Clear-Site-Data"]) == (204, '"cache", "cookies", "storage"')
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_texts_of_consent(client: FlaskClient) -> None:
    items = client.get("/api/v1/consent-texts").get_json()["items"]
    assert {item["kind"] for item in items} == {"PRIVACY", "FACE", "LOCATION", "HEALTH", "FINANCE", "MINOR"}
    face = client.get("/api/v1/consent-texts/FACE/2026-11", headers={"Accept-Language": "en"}).get_json()
    assert face["title"] == "Separate consent to a face check"
    assert face["fields_covered"]
    assert client.get("/api/v1/consent-texts/FACE/1999").status_code == 404


def test_devices_and_history_are_one_query_each(
    client: FlaskClient, citizen: Callable[..., Any], count_queries: Callable[[], Any]
) -> None:
    _, headers = citizen(level=2)
    client.get(URL, headers=headers)
    for path in ("sessions", "sign-ins"):
        with count_queries() as queries:
            assert client.get(f"{URL}/{path}", headers=headers).status_code == 200
        assert len(queries) <= 2


def test_a_phone_alone_sees_and_ends_nothing_of_its_earlier_owner(
    client: FlaskClient, citizen: Callable[..., Any]
) -> None:
    """ID-4: whoever holds the number now must not read the owner's devices and history, nor sign the owner out."""
    phone = make.phone_number()
    owner, headers = citizen(level=3, phone=phone)
    (line,) = client.get(f"{URL}/sign-ins", headers=headers).get_json()["items"]
    with transaction() as session:
        tokens = factors.sign_in_by_phone(session, phone=phone, proven=True, origin=Origin("H5")).insist()
    stranger = {"Authorization": f"Bearer {tokens.access_token}"}
    assert [one["current"] for one in client.get(f"{URL}/sessions", headers=stranger).get_json()["items"]] == [True]
    assert [one["channel"] for one in client.get(f"{URL}/sign-ins", headers=stranger).get_json()["items"]] == ["H5"]
    assert client.delete(f"{URL}/sessions/{owner.session_id}", headers=stranger).status_code == 404
    assert client.delete(f"{URL}/sessions", headers=stranger).get_json() == {"ended": 0}
    assert client.post(f"{URL}/sign-ins/{line['id']}/not-me", headers=stranger).status_code == 404
    assert client.get(URL, headers=headers).status_code == 200
    # The owner sees the stranger, and ends it.
    assert client.delete(f"{URL}/sessions/{tokens.session_id}", headers=headers).status_code == 204
    assert client.get(URL, headers=stranger).status_code == 401
