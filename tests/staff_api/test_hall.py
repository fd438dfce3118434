"""The hall's desk and its manager over HTTP."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from casework.appointments.rules import State
from core import clock
from core.actors import Staff
from core.db import transaction
from core.identifiers import DocumentNumber
from tests.factories import appointments as make
from tests.factories.appointments import ITEM, NOW, at
from tests.factories.auth import resident_id
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
PATH = "/staff/v1/hall"


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


class Desk:
    """The calls of one member of staff."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        headers = {**self.headers, "Idempotency-Key": key or str(uuid4())}
        return self.client.open(PATH + path, method=method, json=body, headers=headers)


@pytest.fixture
def desk(client: FlaskClient, staff: People) -> Callable[..., Desk]:
    def of(*roles: str, **more: Any) -> Desk:
        return Desk(client, staff(*roles, **{"hall_id": CITY_HALL, **more})[1])

    return of


def card(document: DocumentNumber) -> dict[str, str]:
    return {"document_type": document.type.value, "document_number": document.number}


def test_check_in_by_card_gives_a_number_once(desk: Callable[..., Desk], citizen: People) -> None:
    document = resident_id()
    person, _ = citizen(document=document)
    with transaction() as session:
        booked = make.book(session, person, make.slot(session))
    clerk, key = desk("FRONT_CLERK"), str(uuid4())
    with clock.at(at(8, 45)):
        first = clerk.send("POST", "/check-in", card(document), key=key)
        assert (first.status_code, first.json["number"], first.json["lane"]) == (201, "Y4001", "BOOKED")
        assert clerk.send("POST", "/check-in", card(document), key=key).json == first.json
        again = clerk.send("POST", "/check-in", {"number": booked.number})
        assert (again.status_code, again.json["code"]) == (409, "STATE_CONFLICT")


def test_check_in_refusals(desk: Callable[..., Desk], citizen: People) -> None:
    person, _ = citizen()
    with transaction() as session:
        booked = make.book(session, person, make.slot(session))
    clerk = desk("FRONT_CLERK")
    cases: list[tuple[Any, dict[str, str], int, str]] = [
        (at(8, 29), {"number": booked.number}, 409, "CHECKIN_TOO_EARLY"),
        (at(10, 1), {"number": booked.number}, 409, "CHECKIN_TOO_LATE"),
        (at(9), {"qr_token": "NBYY.forged"}, 422, "QR_INVALID"),
        (at(9), {"number": "NB2612010000010"}, 422, "INVALID_INPUT"),
        (at(9), card(resident_id()), 404, "NOT_FOUND"),
        (at(9), {}, 422, "INVALID_INPUT"),
        (at(9), {"number": booked.number, "qr_token": "x"}, 422, "INVALID_INPUT"),
        (at(9), {"document_type": "111"}, 422, "INVALID_INPUT"),
    ]
    for moment, body, status, code in cases:
        with clock.at(moment):
            answer = clerk.send("POST", "/check-in", body)
        assert (answer.status_code, answer.json["code"]) == (status, code), body


def test_closing_a_day(desk: Callable[..., Desk], citizen: People, run_jobs: Callable[..., None]) -> None:
    with transaction() as session:
        booked = make.book(session, citizen()[0], make.slot(session))
    closed = desk("HALL_MANAGER").send("POST", "/closures", {"day": "2026-12-02", "reason": "台风停工"})
    assert closed.status_code == 204
    run_jobs()
    with transaction() as session:
        assert make.stored(session, booked).state == State.HALL_CANCELLED


def test_other_hours_for_a_day(desk: Callable[..., Desk], client: FlaskClient) -> None:
    manager = desk("HALL_MANAGER")
    hours = {"day": "2026-12-05", "periods": [{"opens": "09:00", "closes": "11:00"}], "reason": "周六延时服务"}
    assert manager.send("POST", "/closures", hours).status_code == 204
    query = {"item_id": ITEM, "hall_id": str(CITY_HALL), "from": "2026-12-05", "days": 1}
    day: Any = client.get("/api/v1/appointments/slots", query_string=query).json
    assert len(day["days"][0]["slots"]) == 4
    wrong = [
        {**hours, "periods": [{"opens": "11:00", "closes": "09:00"}]},
        {**hours, "day": "2026-11-30"},
        {**hours, "reason": " "},
        {**hours, "periods": [{"opens": "9", "closes": "11:00"}]},
    ]
    for body in wrong:
        assert manager.send("POST", "/closures", body).status_code == 422, body


def test_plans(desk: Callable[..., Desk], client: FlaskClient) -> None:
    query = {"item_id": ITEM, "hall_id": str(CITY_HALL), "from": "2026-12-02", "days": 1}

    def places() -> list[int]:
        answer: Any = client.get("/api/v1/appointments/slots", query_string=query).json
        return [slot["places"] for slot in answer["days"][0]["slots"]]

    assert places() == [11] * 13
    plan = {"zone_code": "Z4", "weekday": 3, "windows": 7, "periods": [{"opens": "09:00", "closes": "10:00"}]}
    manager = desk("HALL_MANAGER")
    assert manager.send("GET", "/plans").json == {"items": []}
    assert manager.send("PUT", "/plans", plan).status_code == 204
    assert places() == [5, 5]
    assert manager.send("GET", "/plans").json["items"] == [plan | {"slot_minutes": None, "booking_percent": None}]
    # More windows than serve are never planned with: sixteen there are.
    assert manager.send("PUT", "/plans", {"zone_code": "Z4", "weekday": 3, "windows": 500}).status_code == 204
    assert places() == [11] * 13
    assert desk("HALL_MANAGER").send("PUT", "/plans", {"zone_code": "Z4", "weekday": 3}).status_code == 204
    assert places() == [11] * 13
    backwards = {"zone_code": "Z4", "weekday": 3, "periods": [{"opens": "10:00", "closes": "09:00"}]}
    for wrong in ({"zone_code": "Z9", "weekday": 3}, {"zone_code": "Z4", "weekday": 8}, backwards):
        assert desk("HALL_MANAGER").send("PUT", "/plans", wrong).status_code == 422, wrong


def test_numbers_of_the_hall(desk: Callable[..., Desk], own_database: str) -> None:
    with transaction() as session:
        from tests.factories.auth import make_staff

        _, headers = make_staff(session, roles=["HALL_MANAGER"], hall_id=CITY_HALL)
    manager = Desk(desk("HALL_MANAGER").client, headers)
    assert manager.send("GET", "/policy").json["policy"]["hold_minutes"] == 5
    changed = manager.send("PUT", "/policy", {"overrides": {"hold_minutes": 8, "release_at": "07:30"}})
    assert (changed.json["policy"]["hold_minutes"], changed.json["policy"]["release_at"]) == (8, "07:30:00")
    assert manager.send("GET", "/policy").json == changed.json
    refused = manager.send("PUT", "/policy", {"overrides": {"hold_minutes": "8"}})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["hold_minutes"])


def test_the_hotline_books_and_cancels_for_who_calls(desk: Callable[..., Desk]) -> None:
    """AP-6: for a person without an account, from the reserve."""
    with transaction() as session:
        slot = make.slot(session)
    hotline, caller = desk("HOTLINE_OFFICER", hall_id=None), resident_id()
    body = {"name": "王小明", "slot_id": str(slot), "item_id": ITEM, **card(caller)}
    booked = hotline.send("POST", "/appointments", body)
    assert (booked.status_code, booked.json["state"]) == (201, "BOOKED"), booked.text
    assert "王小明" not in booked.text
    assert caller.number not in booked.text
    twice = hotline.send("POST", "/appointments", body)
    assert (twice.status_code, twice.json["code"]) == (409, "BOOKING_LIMIT")
    number = booked.json["number"]
    foreign = hotline.send("POST", "/appointments/cancel", {"number": number, **card(resident_id())})
    assert foreign.status_code == 404
    cancelled = hotline.send("POST", "/appointments/cancel", {"number": number.lower(), **card(caller)})
    assert (cancelled.status_code, cancelled.json["state"]) == (200, "CANCELLED")


ROLES = ["FRONT_CLERK", "HALL_MANAGER", "HOTLINE_OFFICER", "BACK_OFFICER", "SUPERVISOR"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/check-in", {"FRONT_CLERK", "HALL_MANAGER"}),
        ("POST", "/closures", {"HALL_MANAGER"}),
        ("PUT", "/plans", {"HALL_MANAGER"}),
        ("GET", "/plans", {"HALL_MANAGER"}),
        ("GET", "/policy", {"HALL_MANAGER"}),
        ("PUT", "/policy", {"HALL_MANAGER"}),
        ("POST", "/appointments", {"HOTLINE_OFFICER"}),
        ("POST", "/appointments/cancel", {"HOTLINE_OFFICER"}),
    ],
)
def test_who_may(desk: Callable[..., Desk], method: str, path: str, allowed: set[str]) -> None:
    body: dict[str, str] | None = None if method == "GET" else {}
    for role in ROLES:
        status = desk(role).send(method, path, body).status_code
        assert (status != 403) == (role in allowed), role
    assert desk("FRONT_CLERK").client.open(PATH + path, method=method, json=body).status_code == 401


def test_managers_without_a_hall_do_nothing(desk: Callable[..., Desk], staff: Callable[..., Any]) -> None:
    actor: Staff = staff("HALL_MANAGER")[0]
    assert actor.hall_id is None
    nowhere = desk("HALL_MANAGER", hall_id=None)
    assert nowhere.send("POST", "/closures", {"day": "2026-12-02", "reason": "x"}).status_code == 403
    assert nowhere.send("PUT", "/plans", {"zone_code": "Z4", "weekday": 3}).status_code == 403
    assert nowhere.send("GET", "/policy").status_code == 403
    assert nowhere.send("GET", "/plans").status_code == 403
