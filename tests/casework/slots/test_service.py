"""Making and changing slots (AP-1, AP-2, AP-4, AP-15)."""

from collections.abc import Callable, Iterator
from datetime import date, time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casework.appointments import queries as bookings
from casework.appointments.rules import State
from casework.slots import jobs, queries, service
from casework.slots.models import Slot, SlotDay
from core import clock
from core.db import transaction
from core.errors import Forbidden, InvalidInput
from tests.factories import appointments as make
from tests.factories.appointments import NOW, TOMORROW, ZONE, at
from tests.factories.catalogue import CITY_HALL


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


def day_of(session: Session, day: date, zone_code: str = ZONE) -> list[Slot]:
    service.ensure_slots(session, hall_id=CITY_HALL, zone_code=zone_code, day=day)
    query = select(Slot).where(Slot.hall_id == CITY_HALL, Slot.zone_code == zone_code, Slot.day == day)
    return list(session.scalars(query.order_by(Slot.starts_at)))


def cause(session: Session, day: date) -> tuple[str | None, str]:
    made = session.get_one(SlotDay, (CITY_HALL, ZONE, day))
    return made.cause, made.note


def test_a_working_day_of_the_property_zone(session: Session) -> None:
    """AP-2: 16 windows, 30 minutes, 60 % are 288 minutes, that is 11 places of 25."""
    slots = day_of(session, TOMORROW)
    assert len(slots) == 13
    assert (slots[0].starts_at, slots[-1].ends_at) == (at(9), at(17))
    assert {(slot.planned_minutes, slot.capacity_minutes, slot.used_minutes) for slot in slots} == {(288, 288, 0)}
    assert slots[0].reserved_until == at(15, day=date(2026, 12, 1))
    assert cause(session, TOMORROW) == (None, "")


def test_making_a_day_again_changes_nothing(session: Session) -> None:
    first = [(slot.id, slot.planned_minutes) for slot in day_of(session, TOMORROW)]
    assert [(slot.id, slot.planned_minutes) for slot in day_of(session, TOMORROW)] == first


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 10, 1), ("HOLIDAY", "国庆节")),
        (date(2026, 12, 5), ("WEEKEND", "")),
        (date(2027, 1, 4), ("PROVISIONAL", "")),
    ],
)
def test_no_slots_on_days_off_and_on_days_nobody_published(session: Session, day: date, why: tuple[str, str]) -> None:
    assert day_of(session, day) == []
    assert cause(session, day)[0] == why[0]


def test_a_make_up_sunday_is_a_working_day(session: Session) -> None:
    assert len(day_of(session, date(2026, 9, 20))) == 13


def test_a_closed_day_keeps_its_bookings_until_they_are_moved(
    citizen: Callable[..., Any], staff: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    person, _ = citizen()
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    with transaction() as session:
        booked = make.book(session, person, make.slot(session, at(14)))
        morning = make.slot(session, at(9))
    with transaction() as session:
        service.set_hours(session, actor=manager, day=TOMORROW, periods=((time(9), time(12)),), reason="台风")
        assert make.counters(session, booked.slot_id) == (0, 25)
        assert make.counters(session, morning) == (288, 0)
        assert cause(session, TOMORROW) == ("EXCEPTION", "台风")
    run_jobs()
    with transaction() as session:
        moved = make.stored(session, booked)
        assert (moved.state, moved.close_note) == (State.HALL_CANCELLED, "台风")
        assert make.counters(session, booked.slot_id) == (0, 0)


def test_an_extra_saturday(session: Session, staff: Callable[..., Any]) -> None:
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    saturday = date(2026, 12, 5)
    service.set_hours(session, actor=manager, day=saturday, periods=((time(9), time(10)),), reason="加班")
    assert [slot.planned_minutes for slot in day_of(session, saturday)] == [288, 288]


def test_fewer_windows_make_slots_smaller_and_booked_ones_stay(
    citizen: Callable[..., Any], staff: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    """Capacity below what is booked: the walk-in share gives way, so nobody is moved while the windows can do it."""
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    people = [citizen()[0] for _ in range(3)]
    with transaction() as session:
        slot = make.slot(session)
        booked = [make.book(session, person, slot) for person in people]
    with transaction() as session:
        make.windows(session, manager, 3)  # 54 minutes to book, 90 in all, 75 booked
        assert make.counters(session, slot) == (54, 75)
        assert session.get_one(Slot, slot).capacity_minutes == 75
    run_jobs()
    with transaction() as session:
        assert [make.stored(session, one).state for one in booked] == [State.BOOKED] * 3
        service.give_back(session, slot, 25, entitled=False)
        session.expire_all()
        assert session.get_one(Slot, slot).capacity_minutes == 54  # what was given back isn't booked again


def test_windows_that_cannot_do_what_is_booked(
    citizen: Callable[..., Any], staff: Callable[..., Any], run_jobs: Callable[..., None]
) -> None:
    """The latest booked are moved, who needs a wheelchair is not."""
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    with transaction() as session:
        slot = make.slot(session)
    booked = []
    for needs in ([], [], ["WHEELCHAIR"]):
        with transaction() as session:
            booked.append(make.book(session, citizen()[0], slot, needs=needs))
    with transaction() as session:
        make.windows(session, manager, 2)  # 60 minutes in all, 75 booked
    run_jobs()
    with transaction() as session:
        states = [make.stored(session, one).state for one in booked]
        assert states == [State.BOOKED, State.HALL_CANCELLED, State.BOOKED]
        assert make.counters(session, slot)[1] == 50


def test_no_slot_can_be_oversold_by_anybody(session: Session) -> None:
    slot = make.slot(session)
    with pytest.raises(IntegrityError, match="never_oversold"), session.begin_nested():
        session.execute(text("UPDATE slot SET used_minutes = 289 WHERE id = :id"), {"id": slot})


def test_plans_are_for_zones_of_the_own_hall(session: Session, staff: Callable[..., Any]) -> None:
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    with pytest.raises(InvalidInput):
        make.windows(session, manager, 2, zone_code="Z99")
    with pytest.raises(Forbidden):
        make.windows(session, staff("HALL_MANAGER")[0], 2)


def test_slot_length_follows_the_plan_only_while_nothing_is_booked(
    session: Session, citizen: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    next_week = date(2026, 12, 9)
    day_of(session, next_week)
    make.book(session, citizen()[0], make.slot(session))
    plan: dict[str, Any] = {"zone_code": ZONE, "weekday": 3, "periods": ((time(9), time(11)),), "windows": None}
    service.set_plan(session, actor=manager, slot_minutes=60, booking_percent=50, **plan)
    open_slots = [slot for slot in day_of(session, next_week) if slot.planned_minutes]
    assert [(slot.ends_at - slot.starts_at).seconds // 60 for slot in open_slots] == [60, 60]
    assert {slot.planned_minutes for slot in open_slots} == {480}
    assert len([slot for slot in day_of(session, TOMORROW) if slot.planned_minutes]) == 4


def test_a_hall_changes_its_numbers(session: Session, staff: Callable[..., Any], own_database: str) -> None:
    with transaction() as opened:
        service.set_policy(
            opened, actor=staff("HALL_MANAGER", hall_id=CITY_HALL)[0], overrides={"booking_percent": 100}
        )
        assert queries.policy(opened, CITY_HALL).booking_percent == 100
        assert {slot.planned_minutes for slot in day_of(opened, TOMORROW)} == {480}
        service.set_policy(opened, actor=staff("HALL_MANAGER", hall_id=CITY_HALL)[0], overrides={})
        assert queries.policy(opened, CITY_HALL).booking_percent == 60


def test_days_are_made_ahead(app: Flask) -> None:
    jobs.make_ahead()
    with transaction() as session:
        made = session.scalars(select(SlotDay.day).where(SlotDay.hall_id == CITY_HALL, SlotDay.zone_code == "Z1"))
        assert sorted(made) == [date(2026, 12, n) for n in range(2, 16)]
        found = bookings.READ_SLOTS.days(session, CITY_HALL, "Z8", TOMORROW, TOMORROW, NOW)
        assert len(found[0].slots) == 13
