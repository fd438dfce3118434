"""Bookings of people who die, lose capacity or are reported: cancelled or kept, who is told, and what comes back (ID-12)."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from auth.accounts import service as accounts
from auth.accounts.freezing import service as freezing
from auth.accounts.models import SubjectFreeze
from auth.accounts.rules import FreezeReason
from casework.appointments import queries
from casework.appointments.freezes import jobs
from casework.appointments.models import Appointment
from casework.appointments.parties.service import Party
from casework.appointments.rules import Closing, State
from core import clock
from core.actors import Citizen, Staff, System
from core.db import transaction
from notifications.messages.models import Message
from tests.factories import appointments as make
from tests.factories import delegation as delegations
from tests.factories.appointments import NOW, at
from tests.factories.auth import resident_id

SOURCE = System("tests")
SECURITY = Staff(uuid4(), uuid4(), frozenset({"SECURITY_ADMIN"}))
SUPERVISOR = Staff(uuid4(), uuid4(), frozenset({"SUPERVISOR"}))
THIRD_ITEM = "NB-003"
Citizens = Callable[..., tuple[Citizen, dict[str, str]]]


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


@pytest.fixture
def person(citizen: Citizens) -> Citizen:
    return citizen(level=3)[0]


def freeze(person: Citizen, reason: FreezeReason) -> None:
    with transaction() as session:
        accounts.freeze(session, actor=SOURCE, subject_id=person.subject_id, reason=reason)


def lift(person: Citizen) -> None:
    with transaction() as session:
        found = select(SubjectFreeze.id).where(SubjectFreeze.subject_id == person.subject_id)
        freeze_id = session.scalars(found.where(SubjectFreeze.lifted_at.is_(None))).one()
        freezing.propose_lift(session, actor=SECURITY, freeze_id=freeze_id, reason="误报，已核实")
        freezing.lift(session, actor=SUPERVISOR, freeze_id=freeze_id)


def book(person: Citizen, **more: Any) -> Appointment:
    with transaction() as session:
        return make.book(session, person, make.slot(session), **more)


def stored(booked: Appointment) -> Appointment:
    with transaction() as session:
        return queries.owned(session, booked.id, booked.owner_id)


def used(slot_id: UUID) -> int:
    with transaction() as session:
        return make.counters(session, slot_id)[1]


def news(person: Citizen) -> list[str]:
    with transaction() as session:
        query = select(Message.body).where(
            Message.receiver_id == person.subject_id, Message.template == "APPOINTMENT_ATTENTION"
        )
        return list(session.scalars(query.order_by(Message.id)))


def test_a_death_cancels_and_frees_once(person: Citizen, run_jobs: Callable[..., None]) -> None:
    """No penalty, both places are free again, and the messages don't say why (twice over: the job runs twice)."""
    booked = book(person)
    with transaction() as session:
        later = make.slot(session, at(9, day=date(2026, 12, 3)))
        held = make.hold(session, person, later, item_id=THIRD_ITEM)
    assert (used(booked.slot_id), used(later)) == (25, held.minutes)
    freeze(person, FreezeReason.DEATH)
    assert stored(booked).state == State.BOOKED, "cancelled by a job of its own"
    run_jobs()
    jobs.owner_frozen(str(person.subject_id))
    freeze(person, FreezeReason.DEATH)
    run_jobs()
    ended = stored(booked)
    assert (ended.state, ended.closing) == (State.HALL_CANCELLED, Closing.DEATH)
    assert ended.closed_at is not None
    assert (used(booked.slot_id), used(later)) == (0, 0)
    with transaction() as session:
        assert queries.holds_of(session, [person.subject_id]) == []
        assert queries.strikes(session, person.subject_id, NOW - timedelta(days=90)) == []
    (told,) = news(person)
    assert booked.number in told
    assert not any(word in told for word in ("死亡", "去世", "逝"))


def test_the_agent_of_who_died_is_told_and_the_visit_that_began_goes_on(
    person: Citizen, citizen: Citizens, staff: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    agent = citizen(level=3)[0]
    with transaction() as session:
        acting = delegations.for_other(session, person, agent, make.ITEM)
        by_agent = make.book(session, acting, make.slot(session))
    with transaction() as session:
        begun = make.book(session, person, make.slot(session, at(9, day=date(2026, 12, 3))), item_id=THIRD_ITEM)
    with transaction() as session:
        session.get_one(Appointment, begun.id).state = State.CHECKED_IN
    freeze(person, FreezeReason.DEATH)
    run_jobs()
    assert stored(by_agent).state == State.HALL_CANCELLED
    assert stored(begun).state == State.CHECKED_IN
    assert [by_agent.number in told for told in news(agent)] == [True]


@pytest.mark.parametrize("reason", [FreezeReason.FRAUD, FreezeReason.INCAPACITY, FreezeReason.CANCELLED])
def test_other_freezes_keep_the_booking_and_say_so_once(
    person: Citizen, run_jobs: Callable[..., None], reason: FreezeReason
) -> None:
    booked = book(person)
    freeze(person, reason)
    run_jobs()
    jobs.owner_frozen(str(person.subject_id))
    assert stored(booked).state == State.BOOKED
    assert used(booked.slot_id) == 25
    (told,) = news(person)
    assert "为您保留" in told
    lift(person)
    run_jobs()
    assert len(news(person)) == 1, "nothing was lost, so nothing comes back"


def test_a_death_reported_after_another_reason_cancels_too(person: Citizen, run_jobs: Callable[..., None]) -> None:
    booked = book(person)
    freeze(person, FreezeReason.FRAUD)
    run_jobs()
    assert stored(booked).state == State.BOOKED
    freeze(person, FreezeReason.DEATH)
    run_jobs()
    assert stored(booked).state == State.HALL_CANCELLED


def test_others_bookings_stay_theirs_and_they_are_told(
    person: Citizen, citizen: Citizens, run_jobs: Callable[..., None]
) -> None:
    """Who died was to come for one, and was named as a party by another; one named by a document before joining us."""
    owner, seller, early = citizen(level=3)[0], citizen()[0], citizen()[0]
    card = resident_id()
    with transaction() as session:
        acting = delegations.for_other(session, owner, person, make.ITEM)
        for_owner = make.book(session, acting, make.slot(session))
        parties = [Party("王五", card)]
        shared = make.book(session, early, make.slot(session, at(10)), parties=parties)
    late = citizen(document=card)[0]
    with transaction() as session:
        make.book(session, seller, make.slot(session, at(11)))
    for gone in (person, late):
        freeze(gone, FreezeReason.DEATH)
        run_jobs()
        run_jobs()
        jobs.owner_frozen(str(gone.subject_id))
    assert {stored(one).state for one in (for_owner, shared)} == {State.BOOKED}
    assert ["代办人" in told for told in news(owner)] == [True]
    assert ["共同办理人" in told for told in news(early)] == [True]
    assert news(seller) == []
    assert news(person) == []


def test_a_report_taken_back_gives_the_right_to_book_first(person: Citizen, run_jobs: Callable[..., None]) -> None:
    """AP-15: within ten days of the cancellation, once, and not for a booking that was made up for."""
    booked = book(person)
    freeze(person, FreezeReason.DEATH)
    run_jobs()
    with clock.at(NOW + timedelta(hours=1)):
        lift(person)
        run_jobs()
        jobs.owner_restored(str(person.subject_id))
        assert ["2026-12-11前优先" in told for told in news(person)] == [False, True]
        again = book(person)
    assert again.entitled, "the reserve is open to whom a cancellation hit"
    assert stored(booked).replaced_by_id == again.id
    with clock.at(NOW + timedelta(hours=2)):
        jobs.owner_restored(str(person.subject_id))
    assert len(news(person)) == 2


def test_after_ten_days_no_right_is_promised(person: Citizen, run_jobs: Callable[..., None]) -> None:
    book(person)
    freeze(person, FreezeReason.DEATH)
    run_jobs()
    with clock.at(NOW + timedelta(days=11)):
        lift(person)
        run_jobs()
    assert len(news(person)) == 1


def test_jobs_that_come_too_late_do_nothing(person: Citizen, run_jobs: Callable[..., None]) -> None:
    """Taken back before the bookings were looked at: none is cancelled. Frozen again before the news went out: none goes."""
    booked = book(person)
    freeze(person, FreezeReason.DEATH)
    lift(person)
    run_jobs()
    assert stored(booked).state == State.BOOKED
    assert news(person) == []
    freeze(person, FreezeReason.DEATH)
    run_jobs()
    lift(person)
    freeze(person, FreezeReason.FRAUD)
    jobs.owner_restored(str(person.subject_id))
    assert len(news(person)) == 1
