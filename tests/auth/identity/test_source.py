"""Asking the population source, over HTTP (DOMAIN 3.7)."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from auth.identity import service
from auth.identity.models import IdentityEvidence
from auth.identity.ports import CheckResult
from auth.identity.service import Answer, Outcome
from core.actors import Citizen
from core.db import transaction
from core.errors import RateLimited, SourceUnavailable
from core.identifiers import IdentifierError
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.usefixtures("database")


def prove(actor: Citizen, said: Answer) -> Outcome:
    with transaction() as session:
        return service.record_answer(session, actor=actor, answer=said)


def evidence(subject_id: UUID) -> list[tuple[str, str]]:
    with transaction() as session:
        rows = session.scalars(
            select(IdentityEvidence).where(IdentityEvidence.subject_id == subject_id).order_by(IdentityEvidence.id)
        )
        return [(row.type, row.result) for row in rows if row.type not in ("PHONE", "WECHAT")]


def ask(actor: Citizen, persona: dict[str, Any], **other: str) -> Answer:
    asked = {key: persona[key] for key in ("name", "document_type", "document_number")}
    return service.ask(actor=actor, **(asked | other))


@pytest.fixture
def personas(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    return {persona["key"]: persona for persona in sandbox.get("personas.json")["personas"]}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("zhang-wei", CheckResult.MATCH),
        ("mismatch", CheckResult.MISMATCH),
        ("review", CheckResult.REVIEW),
        ("deceased", CheckResult.DECEASED),
        ("cancelled", CheckResult.CANCELLED),
        ("not-found", CheckResult.NOT_FOUND),
        ("expired", CheckResult.EXPIRED),
    ],
)
def test_what_the_source_says_of_people(
    citizen: Callable[..., Any], personas: dict[str, Any], key: str, expected: CheckResult
) -> None:
    actor, _ = citizen(level=1)
    assert ask(actor, personas[key]).check.result is expected


def test_typing_is_forgiven(citizen: Callable[..., Any], personas: dict[str, Any]) -> None:
    actor, _ = citizen(level=1)
    person = personas["zhang-wei"]
    number = person["document_number"]
    typed = " ".join((number[:6], number[6:14], number[14:]))
    said = ask(actor, person, name=f" {person['name']} ", document_number=typed)
    assert said.check.result is CheckResult.MATCH
    assert said.document.number == number


def test_a_wrong_check_digit_never_reaches_the_source(
    citizen: Callable[..., Any], personas: dict[str, Any], sandbox: Sandbox
) -> None:
    actor, _ = citizen(level=1)
    number = personas["zhang-wei"]["document_number"]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    with pytest.raises(IdentifierError):
        ask(actor, personas["zhang-wei"], document_number=wrong)
    assert sandbox.get("calls.json", partner="identity-authority")["calls"] == []


@pytest.mark.parametrize("kind", ["error", "garbage", "wrong_signature"])
def test_a_source_that_is_away_changes_nothing(
    citizen: Callable[..., Any], personas: dict[str, Any], sandbox: Sandbox, kind: str
) -> None:
    actor, _ = citizen(level=1)
    sandbox.fault("identity-authority", kind)
    with pytest.raises(SourceUnavailable):
        ask(actor, personas["zhang-wei"])
    assert evidence(actor.subject_id) == []
    assert ask(actor, personas["zhang-wei"]).check.result is CheckResult.MATCH


def test_five_checks_an_hour(citizen: Callable[..., Any], personas: dict[str, Any]) -> None:
    actor, _ = citizen(level=1)
    for _ in range(5):
        ask(actor, personas["mismatch"])
    with pytest.raises(RateLimited):
        ask(actor, personas["mismatch"])


def test_names_are_not_tried_out_on_one_number_from_many_accounts(
    citizen: Callable[..., Any], personas: dict[str, Any]
) -> None:
    for turn in range(2):
        actor, _ = citizen(level=1)
        for _ in range(5):
            ask(actor, personas["zhang-wei"], name="王" + "一二"[turn])
    other, _ = citizen(level=1)
    with pytest.raises(RateLimited):
        ask(other, personas["zhang-wei"])


def test_no_personal_value_reaches_a_log(
    citizen: Callable[..., Any], personas: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    actor, _ = citizen(level=1)
    person = personas["zhang-wei"]
    said = ask(actor, person)
    prove(actor, said).insist()
    shown = caplog.text + repr(said) + " ".join(str(record.__dict__) for record in caplog.records)
    assert person["document_number"] not in shown
    assert person["name"] not in shown
