"""Holding a place for five minutes (AP-10)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.appointments import jobs, service
from casework.appointments.drafts.service import Details
from casework.appointments.errors import HoldExpired
from casework.appointments.models import Appointment
from casework.appointments.offers import queries as offer_queries
from casework.appointments.offers import service as offers
from casework.appointments.rules import Need, State
from casework.slots.errors import SlotFull
from core import clock
from core.actors import Citizen
from core.db import transaction
from core.errors import NotFound
from notifications.messages.models import Message
from tests.factories import appointments as make
from tests.factories import prereview as prereviews
from tests.factories.appointments import ITEM, NOW, TOMORROW, at, later
from tests.factories.catalogue import CITY_HALL

Citizens = Callable[..., tuple[Citizen, dict[str, str]]]


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


@pytest.fixture
def small(staff: Callable[..., Any]) -> UUID:
    """A slot of two places of 25 minutes (3 windows: 54 minutes)."""
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    with transaction() as session:
        make.windows(session, manager, 3)
        return make.slot(session)


def told(session: Session, person: Citizen) -> list[str]:
    query = select(Message.template).where(Message.receiver_id == person.subject_id).order_by(Message.id)
    return list(session.scalars(query))


def test_a_hold_keeps_the_place_for_five_minutes(citizen: Citizens, small: UUID) -> None:
    first, second, third = (citizen()[0] for _ in range(3))
    with transaction() as session:
        held = make.hold(session, first, small)
        assert held.state == State.HELD
        assert held.hold_until is not None
        assert later(5) <= held.hold_until < later(5) + timedelta(seconds=30)
        make.book(session, second, small)
        with pytest.raises(SlotFull):
            make.book(session, third, small)
        assert told(session, first) == []
    with clock.at(later(6)), transaction() as session:
        made = make.book(session, third, small)
        assert make.counters(session, small) == (54, 50)
        assert session.get(Appointment, held.id) is None
        assert made.state == State.BOOKED


def test_an_offer_counts_holds_that_ran_out(citizen: Citizens, small: UUID) -> None:
    """The expiry counts in the query, without any job."""
    with transaction() as session:
        make.hold(session, citizen()[0], small)
        make.hold(session, citizen()[0], small)
        assert _places(session) == 0
    with clock.at(later(6)), transaction() as session:
        assert _places(session) == 2
        jobs.free_holds()
        assert _places(session) == 2
    with transaction() as session:
        assert make.counters(session, small) == (54, 0)


def _places(session: Session) -> int:
    found = offers.offer(session, item_id=ITEM, hall_id=CITY_HALL, first=TOMORROW, days=1, prereviewed=False)
    answer = offer_queries.answer(session, found, "zh")
    return int(answer["days"][0]["slots"][0]["places"])


def test_a_hold_becomes_a_booking(session: Session, citizen: Citizens, small: UUID) -> None:
    person, _ = citizen()
    held = make.hold(session, person, small)
    details = Details(needs=[Need.SIGN_LANGUAGE], language="en", answers=dict(prereviews.NO_SPECIALS))
    booked = service.confirm(session, actor=person, hold_id=held.id, details=details)
    assert (booked.id, booked.number, booked.state) == (held.id, held.number, State.BOOKED)
    assert (booked.hold_until, booked.needs, booked.language) == (None, ["SIGN_LANGUAGE"], "en")
    assert make.counters(session, small) == (54, 25)
    assert told(session, person) == ["APPOINTMENT_BOOKED"]
    with pytest.raises(HoldExpired):
        service.confirm(session, actor=person, hold_id=held.id, details=Details())


def test_only_the_own_hold_in_time_becomes_a_booking(session: Session, citizen: Citizens, small: UUID) -> None:
    person, other = citizen()[0], citizen()[0]
    held = make.hold(session, person, small)
    with pytest.raises(HoldExpired):
        service.confirm(session, actor=other, hold_id=held.id, details=Details())
    with clock.at(later(5) + timedelta(seconds=30)), pytest.raises(HoldExpired):
        service.confirm(session, actor=person, hold_id=held.id, details=Details())


def test_one_hold_a_person(session: Session, citizen: Citizens, small: UUID) -> None:
    person, _ = citizen()
    first = make.hold(session, person, small)
    elsewhere = make.slot(session, at(10))
    second = make.hold(session, person, elsewhere)
    assert session.get(Appointment, first.id) is None
    assert (make.counters(session, small)[1], make.counters(session, elsewhere)[1]) == (0, 25)
    booked = make.book(session, person, small)
    assert session.get(Appointment, second.id) is None
    assert make.counters(session, elsewhere)[1] == 0
    assert booked.state == State.BOOKED


def test_booking_the_last_place_that_one_holds_oneself(session: Session, citizen: Citizens, small: UUID) -> None:
    person, _ = citizen()
    make.book(session, citizen()[0], small)
    make.hold(session, person, small)
    make.book(session, person, small)
    assert make.counters(session, small) == (54, 50)


def test_giving_a_hold_up(session: Session, citizen: Citizens, small: UUID) -> None:
    person, other = citizen()[0], citizen()[0]
    held = make.hold(session, person, small)
    with pytest.raises(NotFound):
        service.give_up_hold(session, actor=other, hold_id=held.id)
    assert make.counters(session, small)[1] == 25
    service.give_up_hold(session, actor=person, hold_id=held.id)
    with pytest.raises(NotFound):
        service.give_up_hold(session, actor=person, hold_id=held.id)
    assert make.counters(session, small)[1] == 0
