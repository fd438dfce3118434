"""The population source against the sandbox, which verifies and signs with code of its own."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from auth.identity.ports import Check, CheckResult
from core.ports import PartnerUnavailable
from core.settings import Settings
from partners.identity_authority.adapter import SignedIdentityAuthority
from tests.sandbox_client import Sandbox


@pytest.fixture
def authority(settings: Settings, sandbox: Sandbox) -> SignedIdentityAuthority:
    return SignedIdentityAuthority(settings.identity_authority)


def _people(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.get("personas.json")["personas"]
    return found


def _check(authority: SignedIdentityAuthority, person: dict[str, Any], **other: str) -> Check:
    return authority.check(
        name=other.get("name", person["name"]),
        document_type=person["document_type"],
        document_number=other.get("document_number", person["document_number"]),
        purpose="REGISTRATION",
        request_id=uuid4(),
    )


def test_every_persona_has_the_documented_outcome(authority: SignedIdentityAuthority, sandbox: Sandbox) -> None:
    """Names with a dot, names beyond the BMP and documents of foreigners included."""
    seen = set()
    for person in _people(sandbox):
        found = _check(authority, person)
        assert found.result.value == person["outcome"], person["key"]
        if person["outcome"] == "MATCH" and person["valid_until"]:
            assert found.valid_until == date.fromisoformat(person["valid_until"])
        seen.add(found.result)
    assert {CheckResult.MATCH, CheckResult.REVIEW, CheckResult.DECEASED} <= seen


def test_another_name_or_number(authority: SignedIdentityAuthority, sandbox: Sandbox) -> None:
    person = _people(sandbox)[0]
    assert _check(authority, person, name="张三").result is CheckResult.MISMATCH
    assert _check(authority, person, document_number="330102197001010008").result is CheckResult.NOT_FOUND


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "wrong_signature"},
        {"kind": "garbage"},
        {"kind": "error", "value": 503},
        {"kind": "error", "value": 429},
        {"kind": "error", "value": 401},
        {"kind": "drop_response_after_effect"},
        {"kind": "error", "value": "SOMETHING_NEW"},
    ],
)
def test_an_answer_that_cannot_be_trusted_is_none(
    authority: SignedIdentityAuthority, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    person = _people(sandbox)[0]
    sandbox.fault("identity-authority", **fault)
    with pytest.raises(PartnerUnavailable):
        _check(authority, person)
    assert _check(authority, person).result is CheckResult.MATCH, "asking again is harmless"


def test_a_wrong_secret_is_noticed(settings: Settings, sandbox: Sandbox) -> None:
    wrong = SignedIdentityAuthority(replace(settings.identity_authority, secret="x" * 32))
    with pytest.raises(PartnerUnavailable):
        _check(wrong, _people(sandbox)[0])
