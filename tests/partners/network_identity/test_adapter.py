"""The network identity service against the sandbox, which verifies and signs with code of its own."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from auth.identity.network.rules import Grade
from auth.identity.ports import Challenge, NetworkAnswer, NetworkResult
from core import clock
from core.identifiers import DocumentType, normalise_document
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import Settings
from partners.network_identity.adapter import SignedNetworkIdentity
from tests.sandbox_client import Sandbox


@pytest.fixture
def network(settings: Settings, sandbox: Sandbox) -> SignedNetworkIdentity:
    return SignedNetworkIdentity(settings.network_identity)


def begin(
    network: SignedNetworkIdentity,
    sandbox: Sandbox,
    key: str = "zhang-wei",
    *,
    request_id: UUID | None = None,
    **more: Any,
) -> Challenge:
    (person,) = [p for p in sandbox.get("personas.json")["personas"] if p["key"] == key]
    return network.begin(
        name=person["name"],
        document=normalise_document(DocumentType(person["document_type"]), person["document_number"]),
        grade=more.get("grade", Grade.HIGH),
        purpose=more.get("purpose", ""),
        return_url="http://localhost/back?id=1",
        request_id=request_id or uuid4(),
    )


def act(sandbox: Sandbox, begun: Challenge, persona: str = "zhang-wei", **more: str) -> str:
    token: str = sandbox.post("network-identity/act", challenge=begun.challenge, persona=persona, **more)["token"]
    return token


def test_a_check_that_passes(network: SignedNetworkIdentity, sandbox: Sandbox) -> None:
    begun = begin(network, sandbox, grade=Grade.PIN, purpose="SIGN")
    assert clock.wall() < begun.expires_at
    assert network.finish(challenge=begun.challenge, token="x").result is NetworkResult.OPEN
    token = act(sandbox, begun, pin="123456")
    assert network.finish(challenge=begun.challenge, token=token) == NetworkAnswer(
        NetworkResult.PASS, Grade.PIN, "SIGN", date(2035, 3, 6)
    )


def test_the_same_question_is_the_same_check(network: SignedNetworkIdentity, sandbox: Sandbox) -> None:
    """The answer was lost: asking again begins no second one."""
    request_id = uuid4()
    sandbox.fault("network-identity", "drop_response_after_effect")
    with pytest.raises(PartnerUnavailable):
        begin(network, sandbox, request_id=request_id)
    first, second = (begin(network, sandbox, request_id=request_id) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("key", "persona", "more", "result"),
    [
        ("mismatch", "mismatch", {}, NetworkResult.MISMATCH),
        ("zhang-wei", "li-na", {}, NetworkResult.MISMATCH),
        ("deceased", "deceased", {}, NetworkResult.MISMATCH),
        ("review", "review", {}, NetworkResult.REVIEW),
        ("expired", "expired", {}, NetworkResult.CERTIFICATE_EXPIRED),
        ("zhang-wei", "zhang-wei", {"act": "refuse"}, NetworkResult.REFUSED_BY_PERSON),
    ],
)
def test_every_outcome(
    network: SignedNetworkIdentity,
    sandbox: Sandbox,
    key: str,
    persona: str,
    more: dict[str, str],
    result: NetworkResult,
) -> None:
    begun = begin(network, sandbox, key)
    assert network.finish(challenge=begun.challenge, token=act(sandbox, begun, persona, **more)).result is result


def test_a_definite_no(network: SignedNetworkIdentity, sandbox: Sandbox) -> None:
    begun = begin(network, sandbox)
    act(sandbox, begun)
    with pytest.raises(PartnerRefused) as unknown:
        network.finish(challenge="no-such-check", token="x")
    with pytest.raises(PartnerRefused) as wrong:
        network.finish(challenge=begun.challenge, token="made-up")
    with pytest.raises(PartnerRefused):
        network.finish(challenge=begun.challenge, token="")
    assert (unknown.value.code, wrong.value.code) == ("unknown", "token")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "wrong_signature"},
        {"kind": "garbage"},
        {"kind": "error", "value": 503},
        {"kind": "error", "value": 429},
        {"kind": "error", "value": 401},
        {"kind": "error", "value": "SOMETHING_NEW"},
        {"kind": "drop_response_after_effect"},
    ],
)
def test_an_answer_that_cannot_be_trusted_is_none(
    network: SignedNetworkIdentity, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    begun = begin(network, sandbox)
    token = act(sandbox, begun)
    sandbox.fault("network-identity", **fault)
    with pytest.raises(PartnerUnavailable):
        network.finish(challenge=begun.challenge, token=token)
    assert network.finish(challenge=begun.challenge, token=token).result is NetworkResult.PASS


def test_a_wrong_secret_is_noticed(settings: Settings, sandbox: Sandbox) -> None:
    wrong = SignedNetworkIdentity(replace(settings.network_identity, secret="x" * 32))
    with pytest.raises(PartnerUnavailable):
        begin(wrong, sandbox)
