"""One person is one subject, whatever they sign in with (ID-3, ID-4); the card at the counter."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.errors import DocumentDiffers
from auth.accounts.events import AccountChange, AccountChanged, SubjectsMerged
from auth.accounts.rules import SubjectState
from auth.identity import queries, service
from auth.identity.errors import (
    IdentityAlreadyProven,
)
from auth.identity.events import IdentityRaised
from auth.identity.rules import EvidenceType
from auth.sessions import service as sessions
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.errors import NotAuthenticated
from tests.factories import auth as make
from tests.factories.identity import CLERK, answer, level_of, prove, subject_of

pytestmark = pytest.mark.usefixtures("database")


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
    """ID-3: four phones, one document, at the same time."""
    card = make.resident_id()
    actors: list[Citizen] = [citizen(level=1)[0] for _ in range(4)]
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
    assert dict(tuple(row) for row in states) == {"ACTIVE": 1, "MERGED": 3}


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
    again = make.signed_in_by_phone(phone)
    assert (again.subject_id, again.level) == (owner.subject_id, 1)
    assert prove(again, answer(card)).insist().level == 2
    assert (level_of(again), level_of(owner)) == (2, 3)


def test_who_proves_to_be_somebody_else_takes_the_phone_along(citizen: Callable[..., Any], heard: list[Any]) -> None:
    """ID-4: the new owner of a number gets it; the old one is told and has to prove a phone again."""
    phone, card = make.phone_number(), make.resident_id()
    old, _ = citizen(level=3, phone=phone)
    new = make.signed_in_by_phone(phone)
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
    new = make.signed_in_by_phone(phone)
    assert prove(new, answer(card)).insist().level == 2
    assert subject_of(new) == known.subject_id
    assert (level_of(known), level_of(old)) == (3, 0)


def test_other_sessions_by_the_lost_phone_end(citizen: Callable[..., Any]) -> None:
    phone = make.phone_number()
    citizen(level=2, phone=phone)
    earlier, new = make.signed_in_by_phone(phone), make.signed_in_by_phone(phone)
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
