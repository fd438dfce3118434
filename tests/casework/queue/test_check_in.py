"""Check-in: ways, times, parties (AP-12, AP-16, AP-17)."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask

from casework.appointments import service as bookings
from casework.appointments.errors import CheckinTooEarly, CheckinTooLate
from casework.appointments.parties.service import Party
from casework.places.rules import hall_id
from casework.queue import service
from casework.queue.errors import QrInvalid
from casework.queue.rules import Lane
from core import clock
from core.actors import Citizen, Staff
from core.db import transaction
from core.errors import Forbidden, NotFound, StateConflict
from tests.factories import appointments as make
from tests.factories.appointments import NOW, arrive, at, call, visit
from tests.factories.auth import resident_id
from tests.factories.catalogue import CITY_HALL

Citizens = Callable[..., tuple[Citizen, dict[str, str]]]


@pytest.fixture
def clerk(staff: Callable[..., Any]) -> Staff:
    actor: Staff = staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    return actor


@pytest.fixture(autouse=True)
def _morning(app: Flask) -> Iterator[None]:
    """The day of the visits, nine in the morning."""
    with clock.at(at(9)):
        yield


@pytest.mark.parametrize("how", ["qr", "number", "typed number", "card"])
def test_ways_to_check_in(clerk: Staff, citizen: Citizens, how: str) -> None:
    card = resident_id()
    appointment = visit(citizen(document=card)[0])
    typed = f" {appointment.number[:6].lower()} {appointment.number[6:]} "
    ways: dict[str, dict[str, Any]] = {
        "qr": {"qr_text": bookings.qr_text(appointment)},
        "number": {"number": appointment.number},
        "typed number": {"number": typed},
        "card": {"document": card},
    }
    with transaction() as session:
        assert service.check_in(session, actor=clerk, **ways[how]).appointment_id == appointment.id


def test_the_qr_code_is_of_its_day_and_unchanged(clerk: Staff, citizen: Citizens) -> None:
    first, second = visit(citizen()[0]), visit(citizen()[0])
    code = bookings.qr_text(first)
    forged = code.replace(first.id.hex, second.id.hex)
    for text_ in (forged, code[:-1], "NBYY", "", f"NBYY.{first.id.hex}.", code.replace("NBYY", "NBXX")):
        with pytest.raises(QrInvalid), transaction() as session:
            service.check_in(session, actor=clerk, qr_text=text_)
    with clock.at(at(0, 1, day=date(2026, 12, 3))), pytest.raises(QrInvalid), transaction() as session:
        service.check_in(session, actor=clerk, qr_text=code)


def test_check_in_is_in_the_own_hall_on_the_day(clerk: Staff, staff: Callable[..., Any], citizen: Citizens) -> None:
    appointment = visit(citizen()[0])
    elsewhere = staff("FRONT_CLERK", hall_id=hall_id("NB-330203"))[0]
    with pytest.raises(NotFound):
        arrive(elsewhere, appointment)
    with pytest.raises(Forbidden):
        arrive(staff("FRONT_CLERK")[0], appointment)
    with pytest.raises(NotFound):
        arrive(clerk, appointment, at(9, day=date(2026, 12, 3)))


def test_early_late_and_twice(clerk: Staff, citizen: Citizens) -> None:
    appointment = visit(citizen()[0])
    with pytest.raises(CheckinTooEarly):
        arrive(clerk, appointment, at(8, 29))
    with pytest.raises(CheckinTooLate):
        arrive(clerk, appointment, at(10, 1))
    arrive(clerk, appointment, at(8, 31))
    with pytest.raises(StateConflict):
        arrive(clerk, appointment, at(8, 32))


def test_who_cancelled_cannot_check_in(clerk: Staff, citizen: Citizens) -> None:
    person, _ = citizen()
    appointment = visit(person)
    with clock.at(NOW), transaction() as session:
        bookings.cancel(session, actor=person, appointment_id=appointment.id)
    with pytest.raises(NotFound):
        arrive(clerk, appointment)


def test_late_with_room_keeps_the_booked_lane_at_the_back(clerk: Staff, citizen: Citizens) -> None:
    """AP-17: from 15 to 60 minutes late."""
    appointment = visit(citizen()[0])
    ticket = arrive(clerk, appointment, at(9, 40))
    assert (ticket.lane, ticket.queue_at >= at(9, 40)) == (Lane.BOOKED, True)


def test_late_without_room_is_a_walk_in(clerk: Staff, staff: Callable[..., Any], citizen: Citizens) -> None:
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    appointment = visit(citizen()[0])
    with clock.at(NOW), transaction() as session:
        make.windows(session, manager, 1)  # 18 minutes are too little for one of 25
    ticket = arrive(clerk, appointment, at(9, 40))
    assert (ticket.lane, ticket.number) == (Lane.WALK_IN, "A4001")


def test_all_parties_must_be_there_before_the_call(clerk: Staff, citizen: Citizens) -> None:
    """AP-12: checked in when the first arrives, called when all are there."""
    buyer = resident_id()
    appointment = visit(citizen()[0], parties=[Party("李四", buyer)])
    ticket = arrive(clerk, appointment)
    assert ticket.missing == 1
    assert call(clerk) is None
    with transaction() as session:
        complete = service.check_in(session, actor=clerk, document=buyer)
        assert (complete.id, complete.missing) == (ticket.id, 0)
    with pytest.raises(StateConflict), transaction() as session:
        service.check_in(session, actor=clerk, document=buyer)
    called = call(clerk)
    assert called is not None
    assert called.id == ticket.id
