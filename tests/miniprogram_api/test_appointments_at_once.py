"""Booking when many come at once, over HTTP: nothing is oversold, nobody books twice, every answer is a clear one."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from casework.appointments.models import Appointment
from casework.appointments.rules import State
from core import clock
from core.db import transaction
from tests.factories import appointments as make
from tests.factories.appointments import NOW, PATH, TOMORROW, at, later, post, wanted
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


@pytest.fixture
def five(staff: People) -> UUID:
    """A slot of five places: 7 windows, 126 minutes, 25 each."""
    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    with transaction() as session:
        make.windows(session, manager, 7)
        return make.slot(session)


def race(app: Flask, calls: list[tuple[dict[str, str], str, dict[str, Any]]]) -> list[Any]:
    """Send all requests at the same time, each from a thread of its own."""

    def send(call: tuple[dict[str, str], str, dict[str, Any]]) -> Any:
        headers, key, body = call
        return app.test_client().post(PATH, json=body, headers={**headers, "Idempotency-Key": key})

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(send, calls))


def live(slot: UUID) -> int:
    with transaction() as session:
        return (
            session.scalar(select(func.count()).where(Appointment.slot_id == slot, Appointment.state == State.BOOKED))
            or 0
        )


def test_forty_requests_of_twenty_people_for_five_places(app: Flask, citizen: People, five: UUID) -> None:
    """Each sent twice with one key: five bookings, their repeats replayed, everybody else told that it is full."""
    people = [citizen()[1] for _ in range(20)]
    keys = [str(uuid4()) for _ in people]
    answers = race(app, [(headers, key, wanted(five)) for headers, key in zip(people, keys, strict=True)] * 2)
    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 30}
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"SLOT_FULL"}
    numbers = Counter(answer.json["number"] for answer in answers if answer.status_code == 201)
    assert (len(numbers), set(numbers.values())) == (5, {2})
    assert live(five) == 5
    with transaction() as session:
        assert make.counters(session, five) == (126, 125)


def test_two_devices_of_one_person(app: Flask, citizen: People, five: UUID) -> None:
    """Ten devices, ten keys, one booking: the person is locked, so the limit holds (AP-8)."""
    _, headers = citizen()
    answers = race(app, [(headers, str(uuid4()), wanted(five)) for _ in range(10)])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"BOOKING_LIMIT"}
    assert live(five) == 1


def test_many_slots_at_once_leave_three_to_a_person(app: Flask, citizen: People) -> None:
    _, headers = citizen()
    with transaction() as session:
        slots = [make.slot(session, at(9, day=TOMORROW.replace(day=day))) for day in (2, 3, 4, 7, 8)]
    items = ["NB-001", "NB-002", "NB-003", "NB-005", "NB-006"]
    calls = [
        (headers, str(uuid4()), {"slot_id": str(slot), "item_id": item})
        for slot, item in zip(slots, items, strict=True)
    ]
    answers = race(app, calls)
    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 2}


def test_holds_and_bookings_race_for_the_last_place(app: Flask, citizen: People, five: UUID) -> None:
    for _ in range(4):
        post(app.test_client(), citizen()[1], body=wanted(five))
    people = [citizen()[1] for _ in range(12)]

    def go(turn: int) -> int:
        path = "/holds" if turn % 2 else ""
        return int(post(app.test_client(), people[turn], path, wanted(five)).status_code)

    with ThreadPoolExecutor(12) as pool:
        statuses = Counter(pool.map(go, range(12)))
    assert statuses == {201: 1, 409: 11}
    with transaction() as session:
        assert make.counters(session, five) == (126, 125)


def test_expired_holds_are_freed_by_whoever_books(app: Flask, citizen: People, five: UUID) -> None:
    """Five holds run out; eight people race for the places, without any job in between."""
    for _ in range(5):
        assert post(app.test_client(), citizen()[1], "/holds", wanted(five)).status_code == 201
    people = [citizen()[1] for _ in range(8)]
    with clock.at(later(6)):
        answers = race(app, [(headers, str(uuid4()), wanted(five)) for headers in people])
    assert Counter(answer.status_code for answer in answers) == {201: 5, 409: 3}
    with transaction() as session:
        assert make.counters(session, five) == (126, 125)


def test_booking_and_cancelling_at_once_keep_the_counter_right(app: Flask, citizen: People, five: UUID) -> None:
    people = [citizen()[1] for _ in range(10)]

    def book_and_cancel(turn: int) -> None:
        client = app.test_client()
        booked = post(client, people[turn], body=wanted(five))
        if booked.status_code == 201 and turn % 2:
            assert client.post(f"{PATH}/{booked.json['id']}/cancel", headers=people[turn]).status_code == 200

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(book_and_cancel, range(10)))
    with transaction() as session:
        assert make.counters(session, five)[1] == 25 * live(five)
