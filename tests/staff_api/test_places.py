"""The hall manager's desk: hours, closures, windows, and what becomes of bookings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from casework.appointments.rules import State
from casework.places import queries as places
from casework.slots.models import Slot, SlotDay
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


def test_hours_that_end_at_midnight(desk: Desk, client: FlaskClient) -> None:
    """Slots go up to it, the map and the guide say 24:00, and the hall is open until then."""
    evening = {"opens": "20:00", "closes": "24:00"}
    hours = [{"weekday": weekday, "periods": [evening]} for weekday in range(1, 6)]
    shown = desk.send("PUT", "/hall/hours", {"edit": 1, "hours": hours}).json
    assert [day["periods"] for day in shown["hours"]] == [[evening]] * 5
    assert desk.send("GET", "/hall").json["hours"] == shown["hours"]
    with transaction() as session:
        make.slot(session, at(20))
        last = session.scalar(select(func.max(Slot.ends_at)).where(Slot.day == TOMORROW, Slot.planned_minutes > 0))
    assert last is not None
    assert timedelta() <= at(0) + timedelta(days=1) - last < timedelta(minutes=30)
    with clock.at(at(23) + timedelta(minutes=59)):
        hall = client.get(f"/api/v1/places/halls/{CITY_HALL}").get_json()
        assert hall["today"]["periods"] == [evening]
        near = {"lat": 29.8683, "lng": 121.6216, "datum": "GCJ02", "kind": "HALL", "open_now": "true"}
        (open_hall,) = client.get("/api/v1/places/near", query_string=near).get_json()["items"]
        assert (open_hall["hall_id"], open_hall["open_now"]) == (str(CITY_HALL), True)
    for wrong in ("24:01", "25:00", "00:00"):
        said = [{"weekday": 1, "periods": [{"opens": "08:00", "closes": wrong}]}]
        assert desk.send("PUT", "/hall/hours", {"edit": 2, "hours": said}).status_code == 422
    begins = [{"weekday": 1, "periods": [{"opens": "24:00", "closes": "24:00"}]}]
    assert desk.send("PUT", "/hall/hours", {"edit": 2, "hours": begins}).status_code == 422


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


def close(desk: Desk, **said: Any) -> Any:
    return desk.client.post("/staff/v1/hall/closures", json={"reason": "大厅修缮"} | said, headers=desk.headers)


def test_a_closure_of_many_days(desk: Desk, citizen: People, run_jobs: Callable[..., None]) -> None:
    """A renovation of a year: who has booked is moved, days that nobody can book yet cost nothing, all of it is one commit."""
    with transaction() as session:
        booked = make.book(session, citizen()[0], make.slot(session))
    last = TOMORROW + timedelta(days=364)
    said = {"day": TOMORROW.isoformat(), "until": last.isoformat()}
    shown = desk.send("POST", "/closures/preview", said | {"reason": "大厅修缮"}).json
    assert (shown["booked"], shown["cancelled"]) == (1, 1)
    assert close(desk, **said).status_code == 204
    with transaction() as session:
        assert not any(opening.open for opening in places.openings(session, CITY_HALL, TOMORROW, last))
        made = session.scalars(select(func.max(SlotDay.day)).where(SlotDay.hall_id == CITY_HALL)).one()
        assert made is not None
        assert made < last
    run_jobs()
    with transaction() as session:
        assert make.stored(session, booked).state == State.HALL_CANCELLED
    # The works are done half a year early.
    early = (TOMORROW + timedelta(days=180)).isoformat()
    assert desk.send("POST", "/closures/reopen", {"day": early, "until": said["until"]}).status_code == 204
    assert desk.send("POST", "/closures/reopen", {"day": early, "until": said["until"]}).status_code == 404
    exceptions = desk.send("GET", "/hall").json["exceptions"]
    assert (len(exceptions), exceptions[0]["day"]) == (180, said["day"])
    assert desk.send("POST", "/closures/reopen", {"day": said["day"]}).status_code == 204
    with transaction() as session:
        assert session.get_one(Slot, make.slot(session)).planned_minutes > 0


@pytest.mark.parametrize(
    ("day", "until", "field"),
    [
        ("2026-11-30", None, "day"),
        ("9999-12-31", None, "day"),
        ("2026-12-02", "9999-12-31", "until"),
        ("2026-12-02", "2026-12-01", "until"),
        ("2026-12-02", "2026-02-30", "until"),
    ],
)
def test_a_slip_in_the_days_of_a_closure(desk: Desk, day: str, until: str | None, field: str) -> None:
    """One wrong digit must not close the hall for ever, nor make every later change walk through eight thousand years."""
    said = {"day": day, "until": until}
    for refused in (close(desk, **said), desk.send("POST", "/closures/preview", said | {"reason": "x"})):
        assert (refused.status_code, list(refused.json["errors"])) == (422, [field])
    assert desk.send("GET", "/hall").json["exceptions"] == []


def test_a_far_closure_does_not_slow_down_other_changes(desk: Desk) -> None:
    assert close(desk, day=(TOMORROW + timedelta(days=390)).isoformat()).status_code == 204
    window = windows(desk.send("GET", "/hall").json, "Z4")[0]
    said = {"edit": 1, "state": "PAUSED", "kind": "COMBINED"}
    assert desk.send("PUT", f"/hall/windows/{window['id']}", said).status_code == 200
    with transaction() as session:
        made = session.scalars(select(SlotDay.day).where(SlotDay.hall_id == CITY_HALL).distinct()).all()
    assert made == [] or max(made) < TOMORROW + timedelta(days=60)


def test_a_hall_closed_with_hours_notice(desk: Desk, citizen: People, run_jobs: Callable[..., None]) -> None:
    """A typhoon: closed today from now on; whoever was to come this afternoon is told, who was there in the morning isn't."""
    with transaction() as session:
        morning, afternoon = (make.book(session, citizen()[0], make.slot(session, hour)) for hour in (at(9), at(15)))
    with clock.at(at(11)):
        assert close(desk, day=TOMORROW.isoformat(), periods=[MORNING], reason="台风停工").status_code == 204
        run_jobs()
        with transaction() as session:
            assert make.stored(session, morning).state == State.BOOKED
            assert make.stored(session, afternoon).state == State.HALL_CANCELLED
