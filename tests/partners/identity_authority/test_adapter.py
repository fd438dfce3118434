"""The population source against the sandbox, which verifies and signs with code of its own."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from auth.identity.ports import Check, CheckResult
from core.identifiers import DocumentType
from core.ports import PartnerUnavailable
from core.settings import Settings
from partners.identity_authority.adapter import PAGE, SignedIdentityAuthority
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


# Signals (ID-12) -----------------------------------------------------------------------------------------------------------


def test_the_list_of_signals_is_read_page_by_page(authority: SignedIdentityAuthority, sandbox: Sandbox) -> None:
    assert authority.since("").signals == []
    kinds = ["DEATH", "INCAPACITY", "CANCELLED", "FRAUD"]
    for kind in kinds:
        sandbox.post("identity-authority/signal", persona="old", kind=kind)
    page = authority.since("")
    assert [signal.kind.value for signal in page.signals] == kinds
    assert {signal.document.type for signal in page.signals} == {DocumentType.RESIDENT_ID}
    assert all(signal.at.tzinfo is not None for signal in page.signals)
    assert len({signal.number for signal in page.signals}) == 4
    assert (authority.since(page.cursor).signals, page.more) == ([], False)


def test_more_than_a_page(authority: SignedIdentityAuthority, sandbox: Sandbox) -> None:
    for _ in range(PAGE + 1):
        sandbox.post("identity-authority/signal", persona="old", kind="DEATH")
    page = authority.since("")
    assert (len(page.signals), page.more) == (PAGE, True)
    rest = authority.since(page.cursor)
    assert (len(rest.signals), rest.more) == (1, False)


@pytest.mark.parametrize("kind", ["wrong_signature", "garbage", "error", "drop_response_after_effect"])
def test_a_list_that_cannot_be_trusted(authority: SignedIdentityAuthority, sandbox: Sandbox, kind: str) -> None:
    sandbox.fault("identity-authority", kind, path="signals")
    with pytest.raises(PartnerUnavailable):
        authority.since("")


def test_a_cursor_that_is_not_the_source_s(authority: SignedIdentityAuthority) -> None:
    with pytest.raises(PartnerUnavailable):
        authority.since("made-up")
