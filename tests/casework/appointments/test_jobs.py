"""What the clock does: reminders, missed visits and their consequences, closed days."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from casework.appointments import jobs, service
from casework.appointments.errors import BookingBlocked
from casework.appointments.models import Appointment
from casework.appointments.rules import State
from casework.slots import service as slots
from core import clock
from core.actors import Citizen
from core.db import transaction
from notifications.messages.models import Message
from tests.factories import appointments as make
from tests.factories.appointments import NOW, TOMORROW, at
from tests.factories.catalogue import CITY_HALL

Citizens = Callable[..., tuple[Citizen, dict[str, str]]]


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


def booked(person: Citizen, starts: datetime | None = None, **more: Any) -> Appointment:
    with transaction() as session:
        return make.book(session, person, make.slot(session, starts), **more)


def told(person: Citizen, template: str) -> list[str]:
    with transaction() as session:
        query = select(Message.body).where(Message.receiver_id == person.subject_id, Message.template == template)
        return list(session.scalars(query.order_by(Message.id)))


def state(appointment: Appointment) -> str:
    with transaction() as session:
        return make.stored(session, appointment).state


def remind_at(moment: datetime) -> None:
    with clock.at(moment):
        jobs.remind()
        jobs.remind()


def test_reminders_the_evening_before_and_two_hours_before(citizen: Citizens) -> None:
    person, _ = citizen()
    booked(person)
    for moment, sent in (
        (at(17, 50, day=NOW.date()), 0),
        (at(18, 0, day=NOW.date()), 1),
        (at(23, 50, day=NOW.date()), 1),
        (at(6, 50), 1),
        (at(7, 0), 2),
        (at(8, 50), 2),
    ):
        remind_at(moment)
        assert len(told(person, "APPOINTMENT_REMINDER")) == sent, moment
    assert all("请带：不动产登记申请书。" in text for text in told(person, "APPOINTMENT_REMINDER"))


def test_no_reminder_of_what_was_just_booked(citizen: Citizens) -> None:
    person, _ = citizen()
    with clock.at(at(19, day=NOW.date())):
        booked(person)
        jobs.remind()
    assert told(person, "APPOINTMENT_REMINDER") == []


def test_what_was_cancelled_or_moved_is_not_reminded_of(citizen: Citizens) -> None:
    gone, moved = citizen()[0], citizen()[0]
    first, second = booked(gone), booked(moved)
    with transaction() as session:
        service.cancel(session, actor=gone, appointment_id=first.id)
        friday = make.slot(session, at(9, day=date(2026, 12, 4)))
        service.change(session, actor=moved, appointment_id=second.id, slot_id=friday)
    remind_at(at(18, 10, day=NOW.date()))
    remind_at(at(7, 10))
    assert told(gone, "APPOINTMENT_REMINDER") + told(moved, "APPOINTMENT_REMINDER") == []
    remind_at(at(18, 10, day=date(2026, 12, 3)))
    assert len(told(moved, "APPOINTMENT_REMINDER")) == 1


def test_the_evening_run_finds_who_did_not_come(citizen: Citizens) -> None:
    absent, tomorrows = citizen()[0], citizen()[0]
    missed, later = booked(absent), booked(tomorrows, at(9, day=date(2026, 12, 3)))
    with clock.at(at(9, 59)):
        jobs.close_the_day()
    assert state(missed) == State.BOOKED
    with clock.at(at(20, 30)):
        jobs.close_the_day()
        jobs.close_the_day()
    assert (state(missed), state(later)) == (State.NO_SHOW, State.BOOKED)
    assert told(absent, "APPOINTMENT_NO_SHOW_WARNING") == []
    with transaction() as session:
        assert make.counters(session, missed.slot_id)[1] == 25  # the time is gone; nobody is booked into the past


def miss(person: Citizen, day: date) -> Appointment:
    """Book for `day` on the day before and stay away."""
    with clock.at(at(9, day=day - timedelta(days=1))):
        appointment = booked(person, at(9, day=day))
    with clock.at(at(20, 30, day=day)):
        jobs.close_the_day()
    assert state(appointment) == State.NO_SHOW
    return appointment


def test_told_at_two_closed_at_three_for_thirty_days(citizen: Citizens) -> None:
    """AP-22, from the first missed visit to the end of the block; agents, hotline and other people are not concerned."""
    person, _ = citizen()
    miss(person, date(2026, 9, 8))
    assert told(person, "APPOINTMENT_NO_SHOW_WARNING") == []
    miss(person, date(2026, 10, 13))
    assert len(told(person, "APPOINTMENT_NO_SHOW_WARNING")) == 1
    miss(person, date(2026, 12, 2))
    warnings = told(person, "APPOINTMENT_NO_SHOW_WARNING")
    assert len(warnings) == 2
    assert "2027年1月1日前暂不能网上预约" in warnings[1]
    with clock.at(at(9, day=date(2026, 12, 21))):
        with pytest.raises(BookingBlocked) as blocked:
            booked(person, at(9, day=date(2026, 12, 22)))
        assert blocked.value.extra == {"until": "2027-01-01"}
        booked(citizen()[0], at(9, day=date(2026, 12, 22)))


def test_a_late_cancellation_is_half(citizen: Citizens) -> None:
    person, _ = citizen()
    for day in (1, 2, 3):
        with clock.at(at(9, day=date(2026, 9, day))):
            appointment = booked(person, at(9, day=date(2026, 9, day + 1)))
        with clock.at(at(8, day=date(2026, 9, day + 1))), transaction() as session:
            service.cancel(session, actor=person, appointment_id=appointment.id)
        assert state(appointment) == State.LATE_CANCEL
    assert told(person, "APPOINTMENT_NO_SHOW_WARNING") == []
    miss(person, date(2026, 9, 8))  # 2.5: told
    assert len(told(person, "APPOINTMENT_NO_SHOW_WARNING")) == 1
    miss(person, date(2026, 9, 10))
    with clock.at(at(9, day=date(2026, 9, 10))), pytest.raises(BookingBlocked):
        booked(person, at(9, day=date(2026, 9, 11)))


def test_a_closed_day_cancels_all_without_penalty_and_with_priority(
    citizen: Citizens, staff: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    people = [citizen()[0] for _ in range(3)]
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    gone = [booked(people[0]), booked(people[1], at(15))]
    with transaction() as session:
        held = make.hold(session, people[2], make.slot(session, at(11)))
    with transaction() as session:
        slots.set_hours(session, actor=manager, day=TOMORROW, periods=(), reason="台风停工")
    run_jobs()
    assert [state(one) for one in gone] == [State.HALL_CANCELLED] * 2
    with transaction() as session:
        assert session.get(Appointment, held.id) is None
        assert [make.counters(session, one.slot_id) for one in (*gone, held)] == [(0, 0)] * 3
    assert "台风停工" in told(people[0], "APPOINTMENT_HALL_CANCELLED")[0]
    jobs.cancel_withdrawn(str(CITY_HALL), TOMORROW.isoformat())
    assert len(told(people[0], "APPOINTMENT_HALL_CANCELLED")) == 1
    again = booked(people[0], at(9, day=date(2026, 12, 3)))
    assert again.entitled
    with transaction() as session:
        assert make.stored(session, gone[0]).replaced_by_id == again.id
        service.cancel(session, actor=people[0], appointment_id=again.id)
    assert not booked(people[0], at(9, day=date(2026, 12, 4))).entitled


def test_a_closed_afternoon_leaves_the_morning(
    citizen: Citizens, staff: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    morning, afternoon = booked(citizen()[0]), booked(citizen()[0], at(15))
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    with transaction() as session:
        slots.set_hours(session, actor=manager, day=TOMORROW, periods=((time(9), time(12)),), reason="停电")
    run_jobs()
    assert (state(morning), state(afternoon)) == (State.BOOKED, State.HALL_CANCELLED)
