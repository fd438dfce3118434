"""What the population source may say, and what follows (DOMAIN 3.7)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import AccountFrozen
from auth.accounts.rules import FreezeReason, SubjectState
from auth.identity import queries, service
from auth.identity.errors import (
    IdentityDocumentExpired,
    IdentityNotMatched,
    IdentityNotUsable,
)
from auth.identity.models import IdentityEvidence
from auth.identity.ports import CheckResult
from auth.identity.rules import EvidenceType, Result
from auth.sessions import authenticator
from core import clock
from core.audit import AuditEntry
from core.db import transaction
from core.errors import NotAuthenticated
from tests.factories import auth as make
from tests.factories.identity import CLERK, answer, evidence, level_of, prove

pytestmark = pytest.mark.usefixtures("database")


def test_a_match_makes_a_proven_person(citizen: Callable[..., Any], heard: list[Any]) -> None:
    actor, _ = citizen(level=1)
    card = make.resident_id()
    outcome = prove(actor, answer(card, valid_until=date(2030, 1, 31))).insist()
    assert (outcome.result, outcome.level, outcome.look_again_at) == (CheckResult.MATCH, 2, None)
    assert outcome.token is not None
    assert authenticator.citizen_of(outcome.token.access_token).level == 2
    assert level_of(actor) == 2
    with transaction() as session:
        person = people.person(session, actor.subject_id)
        assert (person.name, person.document_number) == ("张三", card.number)
        ends = session.scalar(select(IdentityEvidence.expires_at).where(IdentityEvidence.type == "NAME_NUMBER"))
    assert ends == clock.day_start(date(2030, 2, 1))
    assert [(e.subject_id, e.level) for e in heard] == [(actor.subject_id, 2)]


@pytest.mark.parametrize(
    ("result", "refusal"),
    [
        (CheckResult.MISMATCH, IdentityNotMatched),
        (CheckResult.NOT_FOUND, IdentityNotMatched),
        (CheckResult.EXPIRED, IdentityDocumentExpired),
        (CheckResult.DECEASED, IdentityNotUsable),
        (CheckResult.CANCELLED, IdentityNotUsable),
    ],
)
def test_a_refusal_is_recorded_and_binds_nothing(
    citizen: Callable[..., Any], result: CheckResult, refusal: type[Exception]
) -> None:
    actor, _ = citizen(level=1)
    outcome = prove(actor, answer(make.resident_id(), result))
    with pytest.raises(refusal):
        outcome.insist()
    assert evidence(actor.subject_id) == [("NAME_NUMBER", "FAIL")]
    assert level_of(actor) == 1
    with transaction() as session:
        assert people.document(session, actor.subject_id) is None
        row = session.scalars(select(AuditEntry).where(AuditEntry.action == "identity.refused")).one()
        assert (row.result, row.facts) == ("refused", {"source": result.value})


def test_a_refusal_does_not_lower_a_level(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=2, document=card)
    assert prove(actor, answer(card, CheckResult.MISMATCH)).refusal is not None
    assert level_of(actor) == 2


def test_a_review_is_its_own_state(citizen: Callable[..., Any]) -> None:
    """ID-5: when to look again, and the old level stays."""
    actor, _ = citizen(level=1)
    card = make.resident_id()
    outcome = prove(actor, answer(card, CheckResult.REVIEW)).insist()
    assert (outcome.result, outcome.level) == (CheckResult.REVIEW, 1)
    assert outcome.look_again_at is not None
    assert outcome.look_again_at > clock.now()
    with transaction() as session:
        (waiting,) = [
            e for e in queries.standing_evidence(session, actor.subject_id, clock.now()) if e.type == "NAME_NUMBER"
        ]
        assert (waiting.result, waiting.look_again_at) == (Result.REVIEW, outcome.look_again_at)
    prove(actor, answer(card)).insist()
    with transaction() as session:
        seen = queries.standing_evidence(session, actor.subject_id, clock.now())
    assert {e.type: e.result for e in seen}[EvidenceType.NAME_NUMBER] is Result.PASS


def test_a_later_no_ends_the_waiting(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    card = make.resident_id()
    prove(actor, answer(card, CheckResult.REVIEW))
    prove(actor, answer(card, CheckResult.MISMATCH))
    with transaction() as session:
        seen = queries.standing_evidence(session, actor.subject_id, clock.now())
    assert EvidenceType.NAME_NUMBER not in {e.type for e in seen}


@pytest.mark.parametrize("result", [CheckResult.DECEASED, CheckResult.CANCELLED])
def test_death_and_cancellation_freeze_whose_document_it_is(citizen: Callable[..., Any], result: CheckResult) -> None:
    """ID-12: the person with the document, not the relative who typed its number."""
    card = make.resident_id()
    (owner, _), (relative, _) = citizen(level=2, document=card), citizen(level=1)
    assert level_of(owner) == 2
    assert prove(relative, answer(card, result)).refusal is not None
    with transaction() as session:
        assert people.standing(session, owner.subject_id).state is SubjectState.FROZEN
        assert people.standing(session, relative.subject_id).state is SubjectState.ACTIVE
    with pytest.raises(NotAuthenticated):
        level_of(owner)
    assert level_of(relative) == 1


def test_the_source_speaks_of_the_person_itself(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=2, document=card)
    assert prove(actor, answer(card, CheckResult.CANCELLED)).refusal is not None
    with pytest.raises(NotAuthenticated):
        level_of(actor)


def test_a_frozen_person_proves_nothing(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    (owner, _), (other, _) = citizen(level=2, document=card), citizen(level=1)
    with transaction() as session:
        accounts.freeze(session, actor=CLERK, subject_id=owner.subject_id, reason=FreezeReason.DEATH)
    with pytest.raises(AccountFrozen):
        prove(other, answer(card))
    assert level_of(other) == 1


# Evidence as data --------------------------------------------------------------------------------------------------------


def test_a_phone_that_is_proven_again_is_renewed_not_doubled(citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    actor, _ = citizen(level=1, phone=phone)
    with clock.shift(timedelta(days=300)), transaction() as session:
        service.prove_factor(
            session, subject_id=actor.subject_id, kind=EvidenceType.PHONE, subject_hash=people.phone_lookup(phone)
        )
    with clock.shift(timedelta(days=400)), transaction() as session:
        assert queries.level(session, actor.subject_id, clock.now()) == 1
        count = select(func.count()).where(IdentityEvidence.type == "PHONE")
        assert session.scalar(count) == 1
    with clock.shift(timedelta(days=670)), transaction() as session:
        assert queries.level(session, actor.subject_id, clock.now()) == 0


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"type": "MAGIC"}, "type_known"),
        ({"result": "MAYBE"}, "result_known"),
        ({"result": "REVIEW"}, "review_says_when"),
        ({"revoked_at": clock.now()}, "revoked_has_reason"),
    ],
)
def test_the_database_refuses_what_makes_no_sense(
    citizen: Callable[..., Any], values: dict[str, Any], constraint: str
) -> None:
    actor, _ = citizen(level=1)
    row = {
        "subject_id": actor.subject_id,
        "type": "HALL",
        "provider": "test",
        "subject_hash": b"x",
        "result": "PASS",
        "at": clock.now(),
    }
    with pytest.raises(IntegrityError, match=constraint), transaction() as session:
        session.add(IdentityEvidence(**(row | values)))
