"""Kiosks over HTTP: signed once, the card signs in, level 2 at most, two idle minutes (S46, PEERS S10)."""

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask.testing import FlaskClient

from auth.accounts import service as accounts
from auth.accounts.rules import FreezeReason
from auth.kiosks import rules
from auth.sessions import authenticator
from auth.sessions.rules import LIFETIMES
from core import cache, clock
from core.actors import System
from core.db import transaction
from core.identifiers import DocumentNumber
from tests.factories import auth as make
from tests.factories.catalogue import CITY_HALL

PATH = "/api/v1/kiosk/sign-in"
STAFF = "/staff/v1/kiosks"


@dataclass
class Machine:
    """A kiosk with its private key."""

    http: FlaskClient
    id: str
    code: str
    key: Ed25519PrivateKey

    def headers(self, body: bytes, *, path: str = PATH, late: timedelta = timedelta()) -> dict[str, str]:
        time, nonce = str(int((clock.wall() - late).timestamp())), secrets.token_urlsafe(16)
        signed = rules.message(method="POST", path=path, time=time, nonce=nonce, body=body)
        return {
            "X-Kiosk": self.code,
            "X-Kiosk-Time": time,
            "X-Kiosk-Nonce": nonce,
            "X-Kiosk-Signature": base64.b64encode(self.key.sign(signed)).decode(),
            "Content-Type": "application/json",
        }

    def read(self, card: DocumentNumber, name: str = "张三", **more: Any) -> Any:
        body = json.dumps(
            {"name": name, "document_type": card.type.value, "document_number": card.number, **more}
        ).encode()
        return self.http.post(PATH, data=body, headers=self.headers(body))


def public_pem(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def machine(client: FlaskClient, staff: Callable[..., Any]) -> Machine:
    key = Ed25519PrivateKey.generate()
    code = f"K-{secrets.token_hex(3).upper()}"
    _, admin = staff("SYSTEM_ADMIN")
    answer = client.post(
        STAFF,
        json={"code": code, "name": "一楼东门 1 号机", "hall_id": str(CITY_HALL), "public_key": public_pem(key)},
        headers={**admin, "Idempotency-Key": secrets.token_hex(8)},
    )
    assert answer.status_code == 201, answer.get_json()
    return Machine(client, answer.get_json()["id"], code, key)


def who(tokens: Any) -> Any:
    return authenticator.citizen_of(tokens.get_json()["access_token"])


def test_the_card_signs_in_the_person_we_know(machine: Machine, citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=3, name="张三", document=card)
    answer = machine.read(card)
    assert answer.status_code == 200
    found = who(answer)
    assert (found.subject_id, found.channel, found.level) == (actor.subject_id, "KIOSK", 2)
    assert answer.get_json()["level"] == 2
    assert answer.get_json()["refresh_expires_in"] <= 120
    # A lost card reaches nothing that needs level 3.
    headers = {"Authorization": f"Bearer {answer.get_json()['access_token']}"}
    refused = machine.http.post(
        "/api/v1/personal-data/exports", headers={**headers, "Idempotency-Key": secrets.token_hex(8)}
    )
    assert (refused.status_code, refused.get_json()["needed_level"]) == (401, 3)


def test_somebody_without_a_phone_is_served_too(machine: Machine) -> None:
    """The card stands for the phone (PEERS 4.2: elders without a smartphone)."""
    card = make.resident_id()
    first, second = machine.read(card), machine.read(card)
    assert (who(first).level, who(first).subject_id) == (1, who(second).subject_id)


def test_the_session_slides_while_it_is_used_and_ends_in_two_idle_minutes(machine: Machine) -> None:
    answer = machine.read(make.resident_id()).get_json()
    again = machine.http.post("/api/v1/login/refresh", json={"refresh_token": answer["refresh_token"]}).get_json()
    assert 110 < again["refresh_expires_in"] <= 120
    assert LIFETIMES["KIOSK"].session == timedelta(minutes=2)


def test_a_signature_works_once(machine: Machine) -> None:
    card = make.resident_id()
    body = json.dumps({"name": "张三", "document_type": "111", "document_number": card.number}).encode()
    headers = machine.headers(body)
    assert machine.http.post(PATH, data=body, headers=headers).status_code == 200
    replay = machine.http.post(PATH, data=body, headers=headers)
    assert (replay.status_code, replay.get_json()["code"]) == (409, "REPLAYED")


def test_every_wrong_signature_gets_the_same_answer(machine: Machine) -> None:
    card = make.resident_id()
    body = json.dumps({"name": "张三", "document_type": "111", "document_number": card.number}).encode()
    other = Machine(machine.http, "", machine.code, Ed25519PrivateKey.generate())
    wrong = [
        other.headers(body),
        machine.headers(body, path="/api/v1/kiosk/other"),
        machine.headers(body + b" "),
        machine.headers(body, late=timedelta(seconds=63)),
        machine.headers(body, late=timedelta(seconds=-63)),
        machine.headers(body) | {"X-Kiosk": "K-NOBODY"},
        machine.headers(body) | {"X-Kiosk-Signature": "not base64"},
        machine.headers(body) | {"X-Kiosk-Nonce": "short"},
        machine.headers(body) | {"X-Kiosk-Time": "soon"},
    ]
    for headers in wrong:
        answer = machine.http.post(PATH, data=body, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (401, "SIGNATURE_INVALID")
    bare = machine.http.post(PATH, data=body, headers={"Content-Type": "application/json"})
    assert bare.status_code == 422


def test_a_disabled_kiosk_is_shut_out(machine: Machine, staff: Callable[..., Any]) -> None:
    _, admin = staff("SYSTEM_ADMIN")
    card = make.resident_id()
    off = machine.http.patch(f"{STAFF}/{machine.id}", json={"active": False}, headers=admin)
    assert off.get_json()["active"] is False
    assert machine.read(card).status_code == 401
    machine.http.patch(f"{STAFF}/{machine.id}", json={"active": True}, headers=admin)
    assert machine.read(card).status_code == 200
    (listed,) = machine.http.get(STAFF, headers=admin).get_json()["items"]
    assert listed["last_seen_at"]


def test_cards_that_dont_fit(machine: Machine, citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    citizen(level=2, name="张三", document=card)
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    for answer, code in (
        (machine.read(card, name="李四"), "DOCUMENT_DIFFERS"),
        (machine.read(card, valid_until=yesterday), "IDENTITY_DOCUMENT_EXPIRED"),
    ):
        assert answer.get_json()["code"] == code
    assert machine.read(card, valid_until=clock.today().isoformat()).status_code == 200


def test_a_frozen_person_is_refused_and_it_is_noted(machine: Machine, citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=2, name="张三", document=card)
    with transaction() as session:
        accounts.freeze(session, actor=System("tests"), subject_id=actor.subject_id, reason=FreezeReason.DEATH)
    answer = machine.read(card)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "ACCOUNT_FROZEN")
    with transaction() as session:
        from auth.sessions.models import LoginEvent

        assert session.query(LoginEvent.result).filter(LoginEvent.method == "CARD").scalar() == "FROZEN"


def test_without_the_memory_of_nonces_nobody_signs_in(machine: Machine, settings: Any) -> None:
    try:
        cache.configure("redis://127.0.0.1:9/0")
        answer = machine.read(make.resident_id())
    finally:
        cache.configure(settings.redis_url)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "SOURCE_UNAVAILABLE")


def test_only_a_real_key_and_a_real_hall_are_registered(client: FlaskClient, staff: Callable[..., Any]) -> None:
    _, admin = staff("SYSTEM_ADMIN")
    _, clerk = staff("FRONT_CLERK")
    good = {
        "code": "K-TEST",
        "name": "机",
        "hall_id": str(CITY_HALL),
        "public_key": public_pem(Ed25519PrivateKey.generate()),
    }

    def register(headers: dict[str, str], **changes: str) -> int:
        key = {"Idempotency-Key": secrets.token_hex(8)}
        return int(client.post(STAFF, json={**good, **changes}, headers={**headers, **key}).status_code)

    assert register(clerk) == 403
    assert register(admin, public_key="-----BEGIN PUBLIC KEY-----\nxx\n-----END PUBLIC KEY-----") == 422
    assert register(admin, hall_id="00000000-0000-0000-0000-000000000001") == 404
    assert register(admin) == 201
    assert register(admin) == 409
