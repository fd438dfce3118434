"""The hall manager's desk: hours, closures, windows, and what becomes of bookings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from casework.appointments.rules import State
from casework.places import queries as places
from casework.slots.models import Slot
from core import clock
from core.audit import AuditEntry
from core.db import transaction
from staff_api.places import HallDeskOut
from tests.factories import appointments as make
from tests.factories.appointments import NOW, TOMORROW, at
from tests.factories.catalogue import CITY_HALL

PLACES = "/staff/v1/places"
People = Callable[..., tuple[Any, dict[str, str]]]
MORNING = {"opens": "09:00", "closes": "12:00"}


@pytest.fixture(autouse=True)
def _today(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


@dataclass(frozen=True)
class Desk:
    """A signed-in manager."""

    client: FlaskClient
    headers: dict[str, str]

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return self.client.open(f"{PLACES}{path}", method=method, json=body, headers=self.headers)


@pytest.fixture
def desk(client: FlaskClient, staff: People, own_database: str) -> Desk:
    return Desk(client, staff("HALL_MANAGER", hall_id=CITY_HALL)[1])


def windows(shown: dict[str, Any], zone: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(one["windows"] for one in shown["zones"] if one["code"] == zone)
    return found


def week(*weekdays: int) -> list[dict[str, Any]]:
    return [{"weekday": weekday, "periods": [MORNING]} for weekday in weekdays]


def test_the_desk_fits_the_contract_and_is_the_managers_own(desk: Desk, staff: People) -> None:
    shown = desk.send("GET", "/hall").json
    assert HallDeskOut().validate(shown) == {}
    assert (shown["id"], shown["edit"], len(windows(shown, "Z4"))) == (str(CITY_HALL), 1, 16)
    for roles, hall, status in ((("FRONT_CLERK",), CITY_HALL, 403), (("HALL_MANAGER",), None, 403)):
        other = Desk(desk.client, staff(*roles, hall_id=hall)[1])
        assert other.send("GET", "/hall").status_code == status


def test_hours_of_the_week_change_slots_map_and_answers(desk: Desk, client: FlaskClient) -> None:
    with transaction() as session:
        make.slot(session, at(15))
    shown = desk.send("PUT", "/hall/hours", {"edit": 1, "hours": week(1, 2, 3, 4, 5)}).json
    assert (shown["edit"], [day["periods"] for day in shown["hours"]]) == (2, [[MORNING]] * 5)
    with transaction() as session:
        afternoon = session.scalars(select(Slot).where(Slot.day == TOMORROW, Slot.starts_at >= at(13))).all()
        assert afternoon
        assert {slot.planned_minutes for slot in afternoon} == {0}
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "places.set_week")).one()
        assert entry.digest_before != entry.digest_after
    near = {"lat": 29.8683, "lng": 121.6216, "datum": "GCJ02", "kind": "HALL", "limit": 1}
    with clock.at(at(9)):
        hall = client.get("/api/v1/places/near", query_string=near).get_json()["items"][0]
    assert hall["today"]["periods"] == [MORNING]


def test_who_changes_what_somebody_else_changed_is_refused(desk: Desk) -> None:
    assert desk.send("PUT", "/hall/hours", {"edit": 1, "hours": week(1)}).status_code == 200
    late = desk.send("PUT", "/hall/hours", {"edit": 1, "hours": week(1, 2)})
    assert (late.status_code, late.json["code"], late.json["edit"]) == (412, "PRECONDITION_FAILED", 2)
    assert len(desk.send("GET", "/hall").json["hours"]) == 1


@pytest.mark.parametrize(
    "hours",
    [
        [*week(1), *week(1)],
        [{"weekday": 8, "periods": [MORNING]}],
        [{"weekday": 1, "periods": [MORNING, {"opens": "11:00", "closes": "13:00"}]}],
        [{"weekday": 1, "periods": [{"opens": "12:00", "closes": "09:00"}]}],
    ],
)
def test_impossible_hours(desk: Desk, hours: Any) -> None:
    assert desk.send("PUT", "/hall/hours", {"edit": 1, "hours": hours}).status_code == 422


def test_a_paused_window_takes_its_share_of_the_slots(desk: Desk) -> None:
    with transaction() as session:
        before = make.slot(session)
    window = windows(desk.send("GET", "/hall").json, "Z4")[0]
    said = {"edit": 1, "state": "PAUSED", "kind": "COMBINED"}
    shown = desk.send("PUT", f"/hall/windows/{window['id']}", said).json
    assert {name: windows(shown, "Z4")[0][name] for name in said} == said | {"edit": 2}
    with transaction() as session:
        assert session.get_one(Slot, before).planned_minutes == 30 * 15 * 60 // 100
        assert places.window_count(session, CITY_HALL, "Z4") == 15
    assert desk.send("PUT", f"/hall/windows/{window['id']}", said).status_code == 412


def test_which_window_takes_what(desk: Desk, staff: People) -> None:
    window = windows(desk.send("GET", "/hall").json, "Z4")[1]
    path = f"/hall/windows/{window['id']}"
    special = {"edit": 1, "state": "OPEN", "kind": "SPECIAL"}
    for items in ([], ["NB-013"], ["NB-999"], ["NB-002", "NB-002"]):
        assert desk.send("PUT", path, special | {"items": items}).status_code == 422, items
    combined = special | {"kind": "COMBINED", "items": ["NB-002"]}
    assert desk.send("PUT", path, combined).status_code == 422
    shown = desk.send("PUT", path, special | {"items": ["NB-002", "NB-001"]}).json
    assert windows(shown, "Z4")[1]["items"] == ["NB-001", "NB-002"]
    with transaction() as session:
        other = places.hall_by_code(session, "NB-330203").id
    foreign = Desk(desk.client, staff("HALL_MANAGER", hall_id=other)[1])
    assert foreign.send("PUT", path, special | {"edit": 2, "items": ["NB-002"]}).status_code == 404


def test_a_closure_says_first_what_it_will_do(desk: Desk, citizen: People) -> None:
    with transaction() as session:
        booked = [make.book(session, citizen()[0], make.slot(session, hour)) for hour in (at(9), at(15))]
    whole = {"day": TOMORROW.isoformat(), "reason": "台风停工"}
    afternoon = whole | {"periods": [MORNING]}
    said = desk.send("POST", "/closures/preview", afternoon).json
    assert (said["booked"], said["cancelled"]) == (2, 1)
    assert said["text"].startswith("当日已有2个预约：1个将由大厅取消")
    assert desk.send("POST", "/closures/preview", whole).json["cancelled"] == 2
    with transaction() as session:
        assert {make.stored(session, one).state for one in booked} == {State.BOOKED}
        assert places.opening(session, CITY_HALL, TOMORROW).cause is None
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "places.add_exception")).all() == []


def test_a_closure_is_taken_back(desk: Desk) -> None:
    hall = Desk(desk.client, desk.headers)
    closed = {"day": TOMORROW.isoformat(), "reason": "停电", "reason_en": "Power cut"}
    answer = desk.client.post("/staff/v1/hall/closures", json=closed, headers=desk.headers)
    assert answer.status_code == 204
    assert hall.send("GET", "/hall").json["exceptions"] == [closed | {"periods": []}]
    assert hall.send("POST", "/closures/reopen", {"day": closed["day"]}).status_code == 204
    assert hall.send("POST", "/closures/reopen", {"day": closed["day"]}).status_code == 404
    with transaction() as session:
        assert places.opening(session, CITY_HALL, TOMORROW).open
        assert session.get_one(Slot, make.slot(session)).planned_minutes > 0
