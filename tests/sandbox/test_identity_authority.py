"""The identity authority: signed both ways, every nonce once, an outcome for every persona."""

from __future__ import annotations

import time
import uuid

import pytest

from sandbox.personas import People
from sandbox.signed import signature
from tests.sandbox.partners import IdentityAuthority, inject
from tests.sandbox_client import Sandbox

PEOPLE = People()


@pytest.fixture
def authority(sandbox: Sandbox) -> IdentityAuthority:
    return IdentityAuthority(sandbox)


def about(key: str, **over: str) -> dict[str, str]:
    person = PEOPLE.get(key)
    return {
        "request_id": uuid.uuid4().hex,
        "name": person.name,
        "document_type": person.document_type,
        "document_number": person.document_number,
        "purpose": "LOGIN",
        **over,
    }


@pytest.mark.parametrize("person", PEOPLE.all, ids=lambda person: person.key)
def test_every_persona_has_its_outcome(authority: IdentityAuthority, person: object) -> None:
    persona = PEOPLE.get(person.key)  # type: ignore[attr-defined]
    fields = about(persona.key)
    answer = authority.post(fields).json()
    assert answer["result"] == persona.outcome
    assert answer["request_id"] == fields["request_id"]
    assert answer["checked_at"].endswith("+08:00")
    assert answer.get("valid_until") == (persona.valid_until if persona.outcome in ("MATCH", "EXPIRED") else None)


def test_the_answer_is_signed_and_bound_to_the_question(authority: IdentityAuthority) -> None:
    nonce = uuid.uuid4().hex
    answer = authority.post(about("zhang-wei"), **{"X-Nonce": nonce})
    assert authority.genuine(answer, nonce)
    assert not authority.genuine(answer, uuid.uuid4().hex)


def test_another_name_or_number_does_not_match(authority: IdentityAuthority) -> None:
    assert authority.post(about("zhang-wei", name="张玮")).json()["result"] == "MISMATCH"
    assert authority.post(about("zhang-wei", document_number="330299199003079999")).json()["result"] == "NOT_FOUND"
    assert authority.post(about("zhang-wei", document_type="414")).json()["result"] == "NOT_FOUND"


def test_a_crowd_for_load_tests(authority: IdentityAuthority) -> None:
    number = "330298199001011237"
    assert authority.post(about("zhang-wei", name="市民0001", document_number=number)).json()["result"] == "MATCH"
    assert authority.post(about("zhang-wei", name="张伟", document_number=number)).json()["result"] == "MISMATCH"


def test_forged_and_stale_requests_are_refused(authority: IdentityAuthority) -> None:
    assert authority.post(about("zhang-wei"), **{"X-Signature": "0" * 64}).status_code == 401
    assert authority.post(about("zhang-wei"), **{"X-Key-Id": "IA000000"}).status_code == 401
    assert authority.post(about("zhang-wei"), **{"X-Timestamp": str(int(time.time()) - 301)}).status_code == 401
    assert authority.post(about("zhang-wei"), **{"X-Timestamp": "now"}).status_code == 401
    assert authority.post(about("zhang-wei"), **{"X-Signature": "签名".encode().decode("latin-1")}).status_code == 401


def test_a_nonce_works_once(authority: IdentityAuthority) -> None:
    nonce = uuid.uuid4().hex
    assert authority.post(about("zhang-wei"), **{"X-Nonce": nonce}).status_code == 200
    assert authority.post(about("zhang-wei"), **{"X-Nonce": nonce}).status_code == 409


def test_missing_fields_are_refused(authority: IdentityAuthority) -> None:
    assert authority.post({"name": "张伟"}).status_code == 400
    assert authority.post({**about("zhang-wei"), "purpose": ""}).status_code == 400


def test_a_wrong_signature_fault_is_visible(authority: IdentityAuthority, sandbox: Sandbox) -> None:
    inject(sandbox, "identity-authority", "wrong_signature")
    nonce = uuid.uuid4().hex
    assert not authority.genuine(authority.post(about("zhang-wei"), **{"X-Nonce": nonce}), nonce)


def test_the_signature_is_hmac_sm3_as_another_implementation_makes_it() -> None:
    from cryptography.hazmat.primitives.hashes import SHA256, SM3, Hash
    from cryptography.hazmat.primitives.hmac import HMAC

    body = '{"name": "张伟"}'.encode()
    digest = Hash(SHA256())
    digest.update(body)
    mac = HMAC(b"secret", SM3())
    mac.update(b"1700000000\nnonce-01\n" + digest.finalize().hex().encode())
    assert signature("secret", "1700000000", "nonce-01", body) == mac.finalize().hex()
