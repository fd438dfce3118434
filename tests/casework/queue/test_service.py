"""The hall queue against the database: check-in, calling, passing, serving, the end of the day."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from casework.appointments.models import Appointment
from casework.appointments.rules import State as Booking
from casework.queue import jobs, queries, service
from casework.queue.errors import CallTooSoon, WindowBusy
from casework.queue.models import Ticket, TicketCall
from casework.queue.rules import Lane, Priority, Result, State
from casework.slots.rules import HallPolicy
from core import clock
from core.actors import Citizen, Staff
from core.db import transaction
from core.errors import InvalidInput, NotFound, StateConflict
from notifications.messages.models import Message
from tests.factories import appointments as make
from tests.factories import prereview as prereviews
from tests.factories.appointments import NOW, TOMORROW, ZONE, arrive, at, call, visit
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


def walk_in(clerk: Staff, moment: datetime | None = None, **more: Any) -> Ticket:
    with clock.at(moment or clock.now()), transaction() as session:
        wanted = {"zone_code": ZONE, "item_id": None, "priority": None}
        return service.issue_walk_in(session, actor=clerk, **wanted | more)


def act(
    what: Callable[..., Ticket], clerk: Staff, ticket: Ticket, moment: datetime | None = None, **more: Any
) -> Ticket:
    with clock.at(moment or clock.now()), transaction() as session:
        return what(session, actor=clerk, ticket_id=ticket.id, **more)


def booking_state(appointment: Appointment) -> str:
    with transaction() as session:
        return make.stored(session, appointment).state


def ticket_state(ticket: Ticket) -> str:
    with transaction() as session:
        return session.get_one(Ticket, ticket.id).state


def test_a_visit_from_check_in_to_the_result(clerk: Staff, citizen: Citizens) -> None:
    person, _ = citizen()
    appointment = visit(person)
    ticket = arrive(clerk, appointment)
    assert (ticket.number, ticket.lane, ticket.state) == ("Y4001", Lane.BOOKED, State.WAITING)
    assert booking_state(appointment) == Booking.CHECKED_IN
    called = call(clerk)
    assert called is not None
    assert (called.id, called.state, called.window_code, called.calls) == (ticket.id, State.CALLED, "Z4-01", 1)
    act(service.serve, clerk, ticket)
    assert booking_state(appointment) == Booking.SERVING
    done = act(service.finish, clerk, ticket, result=Result.ACCEPTED)
    assert (done.state, done.result, done.wasted_trip) == (State.FINISHED, Result.ACCEPTED, False)
    with transaction() as session:
        kept = make.stored(session, appointment)
        assert (kept.state, kept.result) == (Booking.FINISHED, Result.ACCEPTED)
        calls = session.scalars(select(TicketCall)).all()
        assert [(one.window_code, one.staff_id) for one in calls] == [("Z4-01", clerk.staff_id)]
        message = session.scalars(select(Message).where(Message.template == "TICKET_CALLED")).one()
        assert "Y4001" in message.body


def test_walk_ins_and_the_order_of_calling(clerk: Staff, citizen: Citizens) -> None:
    """AP-18, AP-20: booked, then priority, then walk-in; numbers run by kind."""
    plain = walk_in(clerk)
    old = walk_in(clerk, priority=Priority.ELDER, item_id="NB-001")
    mine = arrive(clerk, visit(citizen()[0]))
    assert [plain.number, old.number, mine.number] == ["A4001", "A4002", "Y4001"]
    called = [call(clerk, f"Z4-0{n}") for n in (1, 2, 3)]
    assert [one.number for one in called if one] == ["Y4001", "A4002", "A4001"]
    assert call(clerk, "Z4-04") is None


def test_what_a_walk_in_asks_must_fit(clerk: Staff) -> None:
    with pytest.raises(InvalidInput):
        walk_in(clerk, zone_code="Z99")
    with pytest.raises(InvalidInput):
        walk_in(clerk, zone_code="Z1", item_id="NB-001")


def test_at_most_three_booked_in_a_row(clerk: Staff, citizen: Citizens) -> None:
    waiting = walk_in(clerk)
    for _ in range(5):
        arrive(clerk, visit(citizen()[0]))
    order = [call(clerk, f"Z4-{n:02d}") for n in range(1, 7)]
    assert [one.number for one in order if one] == ["Y4001", "Y4002", "Y4003", waiting.number, "Y4004", "Y4005"]


def test_a_window_has_one_at_a_time(clerk: Staff) -> None:
    first = walk_in(clerk)
    walk_in(clerk)
    call(clerk)
    with pytest.raises(WindowBusy):
        call(clerk)
    act(service.serve, clerk, first)
    with pytest.raises(WindowBusy):
        call(clerk)
    act(service.finish, clerk, first, result=Result.ADVICE)
    assert call(clerk) is not None


def test_unknown_and_paused_windows(clerk: Staff, own_database: str) -> None:
    with pytest.raises(NotFound):
        call(clerk, "Z4-99")
    with transaction() as session:
        session.execute(text("UPDATE service_window SET state = 'PAUSED' WHERE code = 'Z4-01'"))
    with pytest.raises(StateConflict):
        call(clerk, "Z4-01")


def test_two_windows_never_call_one_number(app: Flask, staff: Callable[..., Any]) -> None:
    clerks = [staff("FRONT_CLERK", hall_id=CITY_HALL)[0] for _ in range(8)]
    for _ in range(6):
        walk_in(clerks[0])

    def next_one(turn: int) -> str | None:
        with transaction() as session:
            ticket = service.call_next(session, actor=clerks[turn], window_code=f"Z4-{turn + 1:02d}")
            return ticket.number if ticket is not None else None

    with ThreadPoolExecutor(8) as pool:
        called = list(pool.map(next_one, range(8)))
    assert sorted(number for number in called if number) == [f"A400{n}" for n in range(1, 7)]
    assert called.count(None) == 2


def test_numbers_never_repeat_when_many_come_at_once(app: Flask, clerk: Staff) -> None:
    def take(_: int) -> str:
        with transaction() as session:
            ticket = service.issue_walk_in(session, actor=clerk, zone_code=ZONE, item_id=None, priority=None)
            return ticket.number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(take, range(24)))
    assert sorted(numbers) == [f"A4{n:03d}" for n in range(1, 25)]


def test_called_three_times_passed_and_back_once(clerk: Staff) -> None:
    """AP-19."""
    late = walk_in(clerk, at(9))
    others = [walk_in(clerk, at(9, minute)) for minute in range(1, 6)]
    call(clerk, "Z4-01", at(9, 5))
    with pytest.raises(CallTooSoon):
        act(service.recall, clerk, late, at(9, 5) + timedelta(seconds=30))
    with pytest.raises(StateConflict):
        act(service.pass_over, clerk, late, at(9, 10))
    act(service.recall, clerk, late, at(9, 6) + timedelta(seconds=5))
    act(service.recall, clerk, late, at(9, 7) + timedelta(seconds=10))
    with pytest.raises(StateConflict):
        act(service.recall, clerk, late, at(9, 9))
    passed = act(service.pass_over, clerk, late, at(9, 9))
    assert (passed.state, passed.window_code) == (State.PASSED, None)
    back = act(service.bring_back, clerk, late, at(9, 20))
    assert (back.state, back.returns_after) == (State.WAITING, 4)
    called = [call(clerk, f"Z4-0{n}", at(9, 21)) for n in range(1, 6)]
    numbers = [one.number for one in called if one]
    assert numbers == [*(one.number for one in others[:3]), late.number, others[3].number]
    second = act(service.recall, clerk, late, at(9, 23))
    act(service.recall, clerk, second, at(9, 25))
    act(service.pass_over, clerk, late, at(9, 27))
    with pytest.raises(StateConflict):
        act(service.bring_back, clerk, late, at(9, 28))
    with clock.at(at(9, 28)):
        jobs.void_passed()
    assert ticket_state(late) == State.VOID


def passed_booking(clerk: Staff, person: Citizen) -> tuple[Appointment, Ticket]:
    appointment = visit(person)
    ticket = arrive(clerk, appointment)
    call(clerk, "Z4-01", at(9, 5))
    act(service.recall, clerk, ticket, at(9, 7))
    act(service.recall, clerk, ticket, at(9, 9))
    act(service.pass_over, clerk, ticket, at(9, 11))
    return appointment, ticket


def test_a_passed_number_is_void_after_half_an_hour(clerk: Staff, citizen: Citizens) -> None:
    appointment, ticket = passed_booking(clerk, citizen()[0])
    with clock.at(at(9, 40)):
        jobs.void_passed()
    assert ticket_state(ticket) == State.PASSED
    with pytest.raises(StateConflict):
        act(service.bring_back, clerk, ticket, at(9, 43))
    with clock.at(at(9, 43)):
        jobs.void_passed()
    assert ticket_state(ticket) == State.VOID
    with transaction() as session:
        kept = make.stored(session, appointment)
        assert (kept.state, kept.result) == (Booking.FINISHED, Result.LEFT)


def test_the_end_of_the_day_is_no_penalty(clerk: Staff, citizen: Citizens) -> None:
    served, waiting, called = (visit(citizen()[0]) for _ in range(3))
    tickets = [arrive(clerk, one) for one in (served, called, waiting)]
    call(clerk, "Z4-01")
    act(service.serve, clerk, tickets[0])
    call(clerk, "Z4-02")
    with clock.at(at(20)):
        jobs.close_the_day()
        jobs.close_the_day()
    assert [ticket_state(one) for one in tickets] == [State.FINISHED, State.VOID, State.VOID]
    with transaction() as session:
        kept = [make.stored(session, one) for one in (served, called, waiting)]
        assert [(one.state, one.result) for one in kept] == [
            (Booking.FINISHED, Result.UNRECORDED),
            (Booking.FINISHED, Result.LEFT),
            (Booking.FINISHED, Result.LEFT),
        ]


def test_a_reviewed_visit_that_comes_to_nothing_is_counted(clerk: Staff, citizen: Citizens) -> None:
    person = citizen(level=3)[0]
    with clock.at(NOW), transaction() as session:
        reviewed = prereviews.passed(session, person, clerk)
        appointment = make.book(session, person, make.slot(session), prereview_id=reviewed.id)
    ticket = arrive(clerk, appointment)
    call(clerk)
    act(service.serve, clerk, ticket)
    assert act(service.finish, clerk, ticket, result=Result.NOTICE).wasted_trip


def test_moves_out_of_turn_are_refused(clerk: Staff) -> None:
    ticket = walk_in(clerk)
    for what in (service.recall, service.pass_over, service.bring_back, service.serve):
        with pytest.raises(StateConflict):
            act(what, clerk, ticket)
    with pytest.raises(StateConflict):
        act(service.finish, clerk, ticket, result=Result.ACCEPTED)
    with pytest.raises(NotFound):
        act(service.serve, clerk, Ticket(id=UUID(int=1)))


def test_the_database_keeps_one_person_at_a_window(clerk: Staff) -> None:
    for _ in range(2):
        walk_in(clerk)
    call(clerk)
    with pytest.raises(IntegrityError, match="uq_ticket_at_window"), transaction() as session:
        session.execute(text("UPDATE ticket SET state = 'CALLED', window_code = 'Z4-01' WHERE state = 'WAITING'"))


def test_the_live_queue(clerk: Staff, citizen: Citizens) -> None:
    appointment = visit(citizen()[0])
    arrive(clerk, appointment)
    for _ in range(3):
        walk_in(clerk)
    call(clerk)
    with transaction() as session:
        zones = {zone["zone_code"]: zone for zone in queries.live(session, CITY_HALL, TOMORROW)}
        assert len(zones) == 8
        assert (zones["Z4"]["waiting_booked"], zones["Z4"]["waiting_walk_in"]) == (0, 3)
        assert [one["number"] for one in zones["Z4"]["called"]] == ["Y4001"]
        assert zones["Z1"]["called"] == []


def test_how_many_are_ahead_of_me(clerk: Staff, citizen: Citizens) -> None:
    for _ in range(2):
        walk_in(clerk)
    appointment = visit(citizen()[0], at(9, 30))
    arrive(clerk, appointment)
    with transaction() as session:
        before = queries.of_appointment(session, appointment.id, clock.now(), HallPolicy())
        assert (before.number, before.ahead) == ("Y4001", 2)
        due = queries.of_appointment(session, appointment.id, at(9, 30), HallPolicy())
        assert due.ahead == 0
    with pytest.raises(NotFound), transaction() as session:
        queries.of_appointment(session, UUID(int=1), clock.now(), HallPolicy())
