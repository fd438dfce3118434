"""Proving who one is, on the real database, and the population source over HTTP (DOMAIN 3.7)."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import AccountFrozen, DocumentDiffers
from auth.accounts.events import AccountChange, AccountChanged, SubjectsMerged
from auth.accounts.rules import SubjectState
from auth.factors import service as factors
from auth.identity import queries, service
from auth.identity.errors import (
    IdentityAlreadyProven,
    IdentityDocumentExpired,
    IdentityNotMatched,
    IdentityNotUsable,
)
from auth.identity.events import IdentityRaised
from auth.identity.models import IdentityEvidence
from auth.identity.ports import Check, CheckResult
from auth.identity.rules import EvidenceType, Result
from auth.identity.service import Answer, Outcome
from auth.sessions import authenticator
from auth.sessions import service as sessions
from auth.sessions.rules import Origin
from core import clock, events, ids
from core.actors import Citizen, Staff
from core.audit import AuditEntry
from core.db import transaction
from core.errors import NotAuthenticated, RateLimited, SourceUnavailable
from core.identifiers import DocumentNumber, IdentifierError
from tests.factories import auth as make
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.usefixtures("database")

CLERK = Staff(uuid4(), uuid4(), frozenset({"FRONT_CLERK"}), uuid4())
_heard: list[Any] = []


def _hear(_session: object, event: Any) -> None:
    _heard.append(event)


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    for kind in (SubjectsMerged, AccountChanged, IdentityRaised):
        events.subscribe(kind, _hear)
    _heard.clear()
    yield _heard
    _heard.clear()


def answer(
    card: DocumentNumber,
    result: CheckResult = CheckResult.MATCH,
    *,
    name: str = "张三",
    valid_until: date | None = None,
) -> Answer:
    return Answer(name, card, Check(result, valid_until), ids.uuid7())


def prove(actor: Citizen, said: Answer) -> Outcome:
    with transaction() as session:
        return service.record_answer(session, actor=actor, answer=said)


def level_of(actor: Citizen) -> int:
    """The level of the session now, as the next request would see it."""
    token = make.headers_for(actor)["Authorization"].removeprefix("Bearer ")
    return authenticator.citizen_of(token).level


def subject_of(actor: Citizen) -> UUID:
    token = make.headers_for(actor)["Authorization"].removeprefix("Bearer ")
    return authenticator.citizen_of(token).subject_id


def by_phone(phone: str) -> Citizen:
    """Somebody who signs in by the code to a phone."""
    with transaction() as session:
        tokens = factors.sign_in_by_phone(session, phone=phone, proven=True, origin=Origin("H5")).insist()
    return authenticator.citizen_of(tokens.access_token)


def evidence(subject_id: UUID) -> list[tuple[str, str]]:
    with transaction() as session:
        rows = session.scalars(
            select(IdentityEvidence).where(IdentityEvidence.subject_id == subject_id).order_by(IdentityEvidence.id)
        )
        return [(row.type, row.result) for row in rows if row.type not in ("PHONE", "WECHAT")]


# What the source may say ---------------------------------------------------------------------------------------------


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
        accounts.freeze(session, actor=CLERK, subject_id=owner.subject_id, reason="DECEASED")
    with pytest.raises(AccountFrozen):
        prove(other, answer(card))
    assert level_of(other) == 1


# One person, one subject -----------------------------------------------------------------------------------------------


def test_who_proves_a_known_document_is_that_person_again(citizen: Callable[..., Any], heard: list[Any]) -> None:
    """ID-3: the sign-in, with its phone and WeChat account, moves to the subject that holds the document."""
    card = make.resident_id()
    (known, _), (again, _) = citizen(level=2, document=card), citizen(level=1)
    outcome = prove(again, answer(card)).insist()
    assert outcome.level == 2
    assert subject_of(again) == known.subject_id
    assert heard[0] == SubjectsMerged(known.subject_id, again.subject_id)
    assert AccountChange.SIGN_IN_ADDED in [event.change for event in heard if isinstance(event, AccountChanged)]
    with transaction() as session:
        assert people.standing(session, again.subject_id).state is SubjectState.MERGED


def test_joining_by_name_and_number_does_not_inherit_stronger_proofs(citizen: Callable[..., Any]) -> None:
    """Names and numbers leak: knowing them gives level 2, never what the person proved at a counter."""
    card = make.resident_id()
    (known, _), (joined, _) = citizen(level=3, document=card), citizen(level=1)
    assert prove(joined, answer(card)).insist().level == 2
    assert (level_of(joined), level_of(known)) == (2, 3)
    with transaction() as session:
        service.record_counter_check(session, actor=CLERK, subject_id=known.subject_id, document=card)
    assert (level_of(joined), level_of(known)) == (3, 3)


def test_two_that_race_for_one_number_become_one_person(citizen: Callable[..., Any]) -> None:
    """ID-3: eight phones, one document, at the same time."""
    card = make.resident_id()
    actors: list[Citizen] = [citizen(level=1)[0] for _ in range(8)]
    failures: list[BaseException] = []
    together = threading.Barrier(len(actors))

    def run(actor: Citizen) -> None:
        together.wait()
        try:
            prove(actor, answer(card)).insist()
        except BaseException as fault:
            failures.append(fault)

    threads = [threading.Thread(target=run, args=(actor,)) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with transaction() as session:
        holder = people.find_by_document(session, card)
        states = session.execute(text("SELECT state, count(*) FROM subject GROUP BY state")).all()
    assert {subject_of(actor) for actor in actors} == {holder}
    assert {level_of(actor) for actor in actors} == {2}
    assert dict(tuple(row) for row in states) == {"ACTIVE": 1, "MERGED": 7}


def test_one_document_twice_from_one_phone_is_harmless(citizen: Callable[..., Any], heard: list[Any]) -> None:
    actor, _ = citizen(level=1)
    card = make.resident_id()
    together = threading.Barrier(2)

    def run() -> None:
        together.wait()
        prove(actor, answer(card)).insist()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert level_of(actor) == 2
    assert [event.level for event in heard if isinstance(event, IdentityRaised)] == [2]


def test_another_document_in_a_proven_session_is_refused(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    with pytest.raises(IdentityAlreadyProven):
        prove(actor, answer(make.resident_id()))
    assert level_of(actor) == 2


# Phones that change hands (ID-4) -----------------------------------------------------------------------------------------


def test_a_phone_alone_signs_in_to_a_proven_person_at_level_1_only(citizen: Callable[..., Any]) -> None:
    phone, card = make.phone_number(), make.resident_id()
    owner, _ = citizen(level=3, phone=phone, document=card)
    again = by_phone(phone)
    assert (again.subject_id, again.level) == (owner.subject_id, 1)
    assert prove(again, answer(card)).insist().level == 2
    assert (level_of(again), level_of(owner)) == (2, 3)


def test_who_proves_to_be_somebody_else_takes_the_phone_along(citizen: Callable[..., Any], heard: list[Any]) -> None:
    """ID-4: the new owner of a number gets it; the old one is told and has to prove a phone again."""
    phone, card = make.phone_number(), make.resident_id()
    old, _ = citizen(level=3, phone=phone)
    new = by_phone(phone)
    outcome = prove(new, answer(card, name="李四")).insist()
    assert outcome.level == 2
    assert subject_of(new) != old.subject_id
    with transaction() as session:
        assert people.find_by_phone(session, phone) == subject_of(new) == people.find_by_document(session, card)
        assert people.contact(session, old.subject_id).phone is None
    assert level_of(old) == 0
    told = [(event.subject_id, event.change) for event in heard if isinstance(event, AccountChanged)]
    assert told == [(old.subject_id, AccountChange.PHONE_TAKEN)]
    assert prove(new, answer(card, name="李四")).insist().level == 2


def test_the_new_owner_may_be_known_already(citizen: Callable[..., Any]) -> None:
    """The phone joins the known subject restricted: what that person proved at a counter needs more than a phone."""
    phone, card = make.phone_number(), make.resident_id()
    (old, _), (known, _) = citizen(level=2, phone=phone), citizen(level=3, document=card)
    new = by_phone(phone)
    assert prove(new, answer(card)).insist().level == 2
    assert subject_of(new) == known.subject_id
    assert (level_of(known), level_of(old)) == (3, 0)


def test_other_sessions_by_the_lost_phone_end(citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    citizen(level=2, phone=phone)
    earlier, new = by_phone(phone), by_phone(phone)
    prove(new, answer(make.resident_id(), name="李四")).insist()
    with pytest.raises(NotAuthenticated):
        level_of(earlier)
    assert level_of(new) == 2


def test_a_changed_name_is_taken_over(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=2, document=card, name="王小明")
    prove(actor, answer(card, name="王大明")).insist()
    with transaction() as session:
        assert people.person(session, actor.subject_id).name == "王大明"


def test_a_session_that_was_ended_meanwhile_proves_nothing(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=1)
    with transaction() as session:
        sessions.sign_out(session, actor=actor)
    card = make.resident_id()
    with pytest.raises(NotAuthenticated):
        prove(actor, answer(card))
    with transaction() as session:
        assert people.find_by_document(session, card) is None


# At the counter ----------------------------------------------------------------------------------------------------------


def test_the_card_at_the_counter_gives_level_3(citizen: Callable[..., Any], heard: list[Any]) -> None:
    card = make.resident_id()
    actor, _ = citizen(level=2, document=card)
    with transaction() as session:
        service.record_counter_check(session, actor=CLERK, subject_id=actor.subject_id, document=card)
    assert level_of(actor) == 3
    assert [(e.subject_id, e.level) for e in heard] == [(actor.subject_id, 3)]
    with clock.shift(timedelta(days=729)), transaction() as session:
        kinds = {e.type for e in queries.standing_evidence(session, actor.subject_id, clock.now())}
        assert EvidenceType.HALL in kinds
    with clock.shift(timedelta(days=731)), transaction() as session:
        kinds = {e.type for e in queries.standing_evidence(session, actor.subject_id, clock.now())}
        assert EvidenceType.HALL not in kinds


def test_another_card_than_the_one_proven_is_refused(citizen: Callable[..., Any]) -> None:
    actor, _ = citizen(level=2)
    with pytest.raises(DocumentDiffers), transaction() as session:
        service.record_counter_check(session, actor=CLERK, subject_id=actor.subject_id, document=make.resident_id())
    assert level_of(actor) == 2


def test_the_counter_can_be_the_first_proof(citizen: Callable[..., Any]) -> None:
    """ID-10: for documents that the source doesn't know, and for people who can't type them."""
    actor, _ = citizen(level=1)
    card = make.resident_id()
    with pytest.raises(DocumentDiffers), transaction() as session:
        service.record_counter_check(session, actor=CLERK, subject_id=actor.subject_id, document=card)
    with transaction() as session:
        service.record_counter_check(
            session, actor=CLERK, subject_id=actor.subject_id, document=card, name="阿卜杜拉·买买提"
        )
        assert people.person(session, actor.subject_id).name == "阿卜杜拉·买买提"
    assert level_of(actor) == 3


def test_a_card_of_somebody_else_is_not_bound_at_the_counter(citizen: Callable[..., Any]) -> None:
    card = make.resident_id()
    (_, _), (actor, _) = citizen(level=2, document=card), citizen(level=1)
    with pytest.raises(DocumentDiffers), transaction() as session:
        service.record_counter_check(session, actor=CLERK, subject_id=actor.subject_id, document=card, name="张三")


def test_a_walk_in_who_signs_in_later_finds_the_same_person(citizen: Callable[..., Any]) -> None:
    """AP-20: the case of a person without a smartphone shows when somebody helps them sign in."""
    card = make.resident_id()
    with transaction() as session:
        walk_in = accounts.open_for_walk_in(session, actor=CLERK, name="张三", document=card)
        service.record_counter_check(session, actor=CLERK, subject_id=walk_in, document=card)
        assert queries.level(session, walk_in, clock.now()) == 0
    actor, _ = citizen(level=1)
    prove(actor, answer(card)).insist()
    assert subject_of(actor) == walk_in


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


# Asking the source -------------------------------------------------------------------------------------------------------


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
