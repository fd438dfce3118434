"""The market and household registries against the sandbox, which verifies and signs with code of its own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from auth.delegation.guardians.ports import HouseholdAnswer, HouseholdResult, Known
from auth.organisations.ports import RegistryAnswer, RegistryQuestion, RegistryResult
from auth.organisations.rules import OrganisationKind
from core.ports import PartnerUnavailable
from core.settings import Settings
from partners.household_registry.adapter import SignedHouseholdRegistry
from partners.market_registry.adapter import SignedMarketRegistry
from tests.factories import delegation as make
from tests.sandbox_client import Sandbox

Ask = Callable[[], object]


def _company(settings: Settings, sandbox: Sandbox, who: str = "zhang-wei", key: str = "yongjiang") -> RegistryAnswer:
    person = make.persona(sandbox, who)
    question = RegistryQuestion(
        make.credit_code(sandbox, key), person["name"], person["document_type"], person["document_number"]
    )
    return SignedMarketRegistry(settings.market_registry).representative(question, request_id=uuid4())


def _child(settings: Settings, sandbox: Sandbox, who: str = "zhang-wei", key: str = "child") -> HouseholdAnswer:
    child, asking = (
        Known(person["name"], person["document_type"], person["document_number"])
        for person in (make.persona(sandbox, key), make.persona(sandbox, who))
    )
    return SignedHouseholdRegistry(settings.household_registry).guardian(child=child, asking=asking, request_id=uuid4())


def test_who_represents_a_company(settings: Settings, sandbox: Sandbox) -> None:
    found = _company(settings, sandbox)
    assert found == RegistryAnswer(RegistryResult.MATCH, "宁波甬江贸易有限公司", OrganisationKind.ENTERPRISE)
    assert _company(settings, sandbox, "li-na").result is RegistryResult.NOT_REPRESENTATIVE
    assert _company(settings, sandbox, key="closed").result is RegistryResult.DEREGISTERED
    assert _company(settings, sandbox, "wang-fang", "childrens-home").kind is OrganisationKind.INSTITUTION
    sandbox.post("market-registry/change", organisation="yongjiang", representative="li-na")
    assert _company(settings, sandbox).result is RegistryResult.NOT_REPRESENTATIVE
    assert _company(settings, sandbox, "li-na").result is RegistryResult.MATCH
    sandbox.post("reset")
    assert _company(settings, sandbox).result is RegistryResult.MATCH


def test_a_company_that_nobody_knows(settings: Settings, sandbox: Sandbox) -> None:
    question = RegistryQuestion("91350100M000100Y43", "张伟", "111", "330299199003070013")
    found = SignedMarketRegistry(settings.market_registry).representative(question, request_id=uuid4())
    assert found.result is RegistryResult.NOT_FOUND


@pytest.mark.parametrize(
    ("who", "child", "result"),
    [
        ("mother", "child", HouseholdResult.GUARDIAN),
        ("zhang-wei", "newborn", HouseholdResult.GUARDIAN),
        ("wang-fang", "child", HouseholdResult.NOT_GUARDIAN),
        ("li-na", "child-disputed", HouseholdResult.DISPUTED),
        ("wang-fang", "child-institution", HouseholdResult.INSTITUTION),
        ("zhang-wei", "li-na", HouseholdResult.NOT_FOUND),
    ],
)
def test_whose_child_it_is(settings: Settings, sandbox: Sandbox, who: str, child: str, result: HouseholdResult) -> None:
    assert _child(settings, sandbox, who, child).result is result


def test_birth_date_and_relation_come_along(settings: Settings, sandbox: Sandbox) -> None:
    assert _child(settings, sandbox) == HouseholdAnswer(HouseholdResult.GUARDIAN, date(2016, 9, 1), "PARENT")
    assert _child(settings, sandbox, "wang-fang").born_on is None


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "wrong_signature"},
        {"kind": "garbage"},
        {"kind": "error", "value": 503},
        {"kind": "error", "value": 429},
        {"kind": "drop_response_after_effect"},
        {"kind": "error", "value": "SOMETHING_NEW"},
        {"kind": "error", "value": "MATCH"},
    ],
)
def test_an_answer_that_cannot_be_trusted_is_none(settings: Settings, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    """A MATCH without the organisation's name is none either."""
    for partner, ask in (
        ("market-registry", lambda: _company(settings, sandbox)),
        ("household-registry", lambda: _child(settings, sandbox)),
    ):
        sandbox.fault(partner, **fault)
        with pytest.raises(PartnerUnavailable):
            ask()
        ask()


def test_a_wrong_secret_is_noticed(settings: Settings, sandbox: Sandbox) -> None:
    wrong = replace(
        settings,
        market_registry=replace(settings.market_registry, secret="x" * 32),
        household_registry=replace(settings.household_registry, secret="x" * 32),
    )
    for ask in (_company, _child):
        with pytest.raises(PartnerUnavailable):
            ask(wrong, sandbox)


def test_nothing_personal_is_printed(sandbox: Sandbox) -> None:
    person = make.persona(sandbox, "zhang-wei")
    shown = repr(Known(person["name"], "111", person["document_number"])) + repr(
        RegistryQuestion("91350100M000100Y43", person["name"], "111", person["document_number"])
    )
    assert person["name"] not in shown
    assert person["document_number"] not in shown
