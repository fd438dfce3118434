"""Booking over HTTP: the free slots, holding, booking, changing, cancelling, and what happens when many come at once."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from casework.queue import service as queue
from casework.slots.models import Slot
from core import clock
from core.db import transaction
from tests.factories import appointments as make
from tests.factories.appointments import ITEM, NOW, PATH, TOMORROW, at, later, post, wanted
from tests.factories.auth import resident_id
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


@pytest.fixture
def slot(app: Flask) -> UUID:
    with transaction() as session:
        return make.slot(session)


def get(client: FlaskClient, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
    return client.get(PATH + path, headers=headers, query_string=query)


def offer(client: FlaskClient, **query: Any) -> Any:
    answer = get(client, "/slots", **{"item_id": ITEM, "hall_id": str(CITY_HALL), **query})
    assert answer.status_code == 200, answer.text
    return answer.json


def days(client: FlaskClient, **query: Any) -> dict[str, Any]:
    return {day["day"]: day for day in offer(client, **query)["days"]}


def test_a_week_of_slots_with_the_reasons(client: FlaskClient) -> None:
    found = days(client, days=10)
    assert {day: (one["open"], one["reason"], len(one["slots"])) for day, one in found.items()} == {
        "2026-12-01": (True, "SAME_DAY", 13),
        "2026-12-02": (True, None, 13),
        "2026-12-03": (True, None, 13),
        "2026-12-04": (True, None, 13),
        "2026-12-05": (False, "WEEKEND", 0),
        "2026-12-06": (False, "WEEKEND", 0),
        "2026-12-07": (True, None, 13),
        "2026-12-08": (True, None, 13),
        "2026-12-09": (True, "NOT_RELEASED", 0),
        "2026-12-10": (True, "NOT_RELEASED", 0),
    }
    first = found["2026-12-02"]["slots"][0]
    assert (first["starts_at"], first["ends_at"]) == ("2026-12-02T09:00:00+08:00", "2026-12-02T09:30:00+08:00")
    assert (first["places"], first["reserved_places"]) == (11, 11)
    later_on = found["2026-12-03"]["slots"][0]
    assert (later_on["places"], later_on["reserved_places"]) == (10, 11)
    assert found["2026-12-05"]["reason_text"] == "周末"
    assert "08:00" in found["2026-12-09"]["reason_text"]


def test_a_reviewed_visit_finds_more_places(client: FlaskClient) -> None:
    found = offer(client, prereviewed="true", **{"from": "2026-12-02"}, days=1)
    assert (found["minutes"], found["days"][0]["slots"][0]["places"]) == (15, 19)


def test_full_and_closed_days_say_so(client: FlaskClient, citizen: People, staff: People, five: UUID) -> None:
    from casework.slots import service as slots

    manager, _ = staff("HALL_MANAGER", hall_id=CITY_HALL)
    with transaction() as session:
        session.execute(
            Slot.__table__.update().where(Slot.day == TOMORROW).values(used_minutes=Slot.planned_minutes)  # type: ignore[attr-defined]
        )
        slots.set_hours(session, actor=manager, day=at(9).date().replace(day=3), periods=(), reason="线路检修")
    found = days(client, days=4)
    assert (found["2026-12-02"]["reason"], found["2026-12-02"]["reason_text"]) == ("FULL", "已约满")
    assert (found["2026-12-03"]["open"], found["2026-12-03"]["reason_text"]) == (False, "临时安排：线路检修")
    query = {"item_id": ITEM, "hall_id": str(CITY_HALL), "from": "2026-12-02", "days": 1}
    english = get(client, "/slots", {"Accept-Language": "en"}, **query)
    assert english.json["days"][0]["reason_text"] == "Fully booked"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"hall_id": str(UUID(int=1))}, 404, "NOT_FOUND"),
        ({"hall_id": "x"}, 422, "INVALID_INPUT"),
        ({"item_id": "NB-999"}, 404, "NOT_FOUND"),
        ({"item_id": "NB-035"}, 409, "BOOKING_NOT_OFFERED"),
        ({"days": 32}, 422, "INVALID_INPUT"),
        ({"from": "tomorrow"}, 422, "INVALID_INPUT"),
    ],
)
def test_what_the_listing_refuses(client: FlaskClient, query: dict[str, Any], status: int, code: str) -> None:
    answer = get(client, "/slots", **{"item_id": ITEM, "hall_id": str(CITY_HALL), **query})
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_the_listing_is_one_query_for_all_days(client: FlaskClient, count_queries: Callable[[], Any]) -> None:
    """Beside it: the item and the hall's numbers. Days are made the first time somebody looks."""
    offer(client, days=10)
    with count_queries() as queries:
        offer(client, days=10)
    assert len(queries) <= 3  # the third: has the catalogue changed? asked twice a second
    assert sum("slot_day" in query for query in queries) == 1


def test_booking_has_a_bounded_number_of_queries(
    client: FlaskClient, citizen: People, slot: UUID, count_queries: Callable[[], Any]
) -> None:
    _, headers = citizen()
    with count_queries() as queries:
        assert post(client, headers, body=wanted(slot)).status_code == 201
    taking = [one for one in queries if one.startswith("WITH taken")]
    assert len(taking) == 1
    assert "UPDATE slot" in taking[0]
    assert "INSERT INTO appointment" in taking[0]
    assert not any("SAVEPOINT" in one for one in queries)
    # Eleven; now and then the catalogue's revision and the hall are looked at, and numbers are drawn.
    assert len(queries) <= 14, "\n".join(queries)


def test_a_full_slot_is_refused_with_few_queries(
    client: FlaskClient, citizen: People, slot: UUID, count_queries: Callable[[], Any]
) -> None:
    """In a rush nearly everybody is refused: token, key, slot, and no write but the key, which goes with the refusal."""
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == slot).values(used_minutes=Slot.planned_minutes))
    _, headers = citizen()
    with count_queries() as queries:
        refused = post(client, headers, body=wanted(slot))
    assert (refused.status_code, refused.json["code"]) == (409, "SLOT_FULL")
    assert len(queries) <= 5, "\n".join(queries)


def test_from_the_slot_to_the_booking_and_back(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, headers = citizen()
    made = post(client, headers, body=wanted(slot, needs=["WHEELCHAIR"], language="en"))
    assert made.status_code == 201, made.text
    booked = made.json
    assert (booked["state"], booked["state_label"], booked["comes"]) == ("BOOKED", "已预约", "SELF")
    assert (booked["needs"], booked["language"], booked["papers"]) == (["WHEELCHAIR"], "en", ["不动产登记申请书"])
    assert booked["starts_at"] == "2026-12-02T09:00:00+08:00"
    assert get(client, f"/{booked['id']}", headers).json == booked
    listed = get(client, "", headers).json
    assert [one["number"] for one in listed["items"]] == [booked["number"]]
    code = get(client, f"/{booked['id']}/qr", headers).json["text"]
    assert code.startswith("NBYY.")
    cancelled = post(client, headers, f"/{booked['id']}/cancel")
    assert (cancelled.status_code, cancelled.json["state"]) == (200, "CANCELLED")
    assert post(client, headers, f"/{booked['id']}/cancel").json["code"] == "STATE_CONFLICT"


def test_hold_then_book(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, headers = citizen()
    held = post(client, headers, "/holds", wanted(slot)).json
    assert (held["state"], held["hold_until"][:16]) == ("HELD", later(5).isoformat()[:16])
    assert get(client, "", headers).json["items"] == []
    booked = post(client, headers, body={"hold_id": held["id"], "needs": ["GUIDE"]})
    assert (booked.status_code, booked.json["number"], booked.json["state"]) == (201, held["number"], "BOOKED")
    assert booked.json["hold_until"] is None
    again = post(client, headers, body={"hold_id": held["id"]})
    assert (again.status_code, again.json["code"]) == (409, "HOLD_EXPIRED")


def test_a_hold_that_ran_out(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, headers = citizen()
    held = post(client, headers, "/holds", wanted(slot)).json
    with clock.at(later(6)):
        late = post(client, headers, body={"hold_id": held["id"]})
        assert (late.status_code, late.json["code"]) == (409, "HOLD_EXPIRED")
        assert post(client, headers, body=wanted(slot)).status_code == 201


def test_giving_up_a_hold(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, headers = citizen()
    held = post(client, headers, "/holds", wanted(slot)).json
    answers = [client.delete(f"{PATH}/holds/{held['id']}", headers=headers).status_code for _ in range(2)]
    assert answers == [204, 404]
    with transaction() as session:
        assert make.counters(session, slot)[1] == 0


def test_changing(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, headers = citizen()
    booked = post(client, headers, body=wanted(slot)).json
    with transaction() as session:
        other = make.slot(session, at(10))
    key = str(uuid4())
    moved = post(client, headers, f"/{booked['id']}/change", {"slot_id": str(other)}, key=key)
    assert (moved.status_code, moved.json["changes"]) == (201, 1)
    replayed = post(client, headers, f"/{booked['id']}/change", {"slot_id": str(other)}, key=key)
    assert (replayed.json["id"], replayed.headers["Idempotent-Replay"]) == (moved.json["id"], "true")
    old = get(client, f"/{booked['id']}", headers).json
    assert (old["state"], old["replaced_by_id"]) == ("CANCELLED", moved.json["id"])


def test_nobody_sees_anothers(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, mine = citizen()
    _, theirs = citizen()
    booked = post(client, mine, body=wanted(slot)).json["id"]
    for path in ("", "/qr", "/ticket"):
        answer = get(client, f"/{booked}{path}", theirs)
        assert (answer.status_code, answer.json["code"]) == (404, "NOT_FOUND")
    assert client.post(f"{PATH}/{booked}/cancel", headers=theirs).status_code == 404
    assert post(client, theirs, f"/{booked}/change", {"slot_id": str(slot)}).status_code == 404


def test_levels(client: FlaskClient, citizen: People, slot: UUID) -> None:
    """AP-7: level 2, and 3 for an item that itself needs a fresh proof."""
    assert client.post(PATH, json=wanted(slot)).status_code == 401
    _, registered = citizen(level=1)
    low = post(client, registered, body=wanted(slot))
    assert (low.status_code, low.json["code"], low.json["needed_level"]) == (401, "AUTH_LEVEL_TOO_LOW", 2)
    _, basic = citizen(level=2)
    higher = post(client, basic, body=wanted(slot) | {"item_id": "NB-010"})
    assert (higher.status_code, higher.json["needed_level"]) == (401, 3)
    assert higher.json["ways"]
    _, high = citizen(level=3)
    assert post(client, high, body=wanted(slot) | {"item_id": "NB-010"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "slot_id"),
        ({"slot_id": str(uuid4())}, "slot_id"),
        ({"hold_id": str(uuid4()), "item_id": ITEM}, "slot_id"),
        ({"hold_id": str(uuid4()), "slot_id": str(uuid4()), "item_id": ITEM}, "slot_id"),
        ({"slot_id": "9", "item_id": ITEM}, "slot_id"),
        ({"slot_id": str(uuid4()), "item_id": ITEM, "needs": ["LIFT"]}, "needs.0"),
        ({"slot_id": str(uuid4()), "item_id": ITEM, "comes": "DOG"}, "comes"),
        ({"slot_id": str(uuid4()), "item_id": ITEM, "language": "English"}, "language"),
        ({"slot_id": str(uuid4()), "item_id": ITEM, "colour": "red"}, "colour"),
        ({"slot_id": str(uuid4()), "item_id": ITEM, "parties": [{"name": "李四", "document_type": "111"}]}, "parties.0.document_number"),
        (
            {"slot_id": str(uuid4()), "item_id": ITEM, "parties": [{"name": "李四", "document_type": "111", "document_number": "1"}]},
            "document_number",
        ),
    ],
)  # fmt: skip
def test_wrong_input_names_the_field(client: FlaskClient, citizen: People, body: Any, field: str) -> None:
    _, headers = citizen()
    answer = post(client, headers, body=body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_parties_are_masked(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, headers = citizen()
    buyer = resident_id()
    party = {"name": "王小明", "document_type": "111", "document_number": buyer.number}
    booked = post(client, headers, body=wanted(slot, parties=[party]))
    assert booked.json["parties"] == [{"name": "王*明", "arrived": False}]
    assert buyer.number not in booked.text


def test_refusals_are_clear(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, headers = citizen()
    post(client, headers, body=wanted(slot))
    twice = post(client, headers, body=wanted(slot))
    assert (twice.status_code, twice.json["code"], twice.json["limit"]) == (409, "BOOKING_LIMIT", "ITEM")
    assert twice.json["detail"] == "已达到预约数量限制：同一事项已有预约"
    english = post(client, {**headers, "Accept-Language": "en"}, body=wanted(slot))
    assert english.json["detail"] == "Booking limit reached: you have a booking of this item"


def test_a_double_tap_without_a_key_is_refused(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, headers = citizen()
    for path in ("", "/holds"):
        answer: Any = client.post(PATH + path, json=wanted(slot), headers=headers)
        assert (answer.status_code, answer.json["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")
    with transaction() as session:
        assert make.counters(session, slot)[1] == 0


def test_a_retry_after_a_lost_answer_gives_the_same_booking(client: FlaskClient, citizen: People, slot: UUID) -> None:
    _, headers = citizen()
    key = str(uuid4())
    first = post(client, headers, body=wanted(slot), key=key)
    second = post(client, headers, body=wanted(slot), key=key)
    assert (second.status_code, second.json) == (201, first.json)
    assert second.headers["Idempotent-Replay"] == "true"
    other = post(client, headers, body=wanted(slot, language="en"), key=key)
    assert (other.status_code, other.json["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    with transaction() as session:
        assert make.counters(session, slot)[1] == 25


def test_the_live_queue_is_public(client: FlaskClient, citizen: People, staff: People, slot: UUID) -> None:
    _, headers = citizen()
    clerk, _ = staff("FRONT_CLERK", hall_id=CITY_HALL)
    booked = post(client, headers, body=wanted(slot)).json
    assert get(client, f"/{booked['id']}/ticket", headers).status_code == 404
    with clock.at(at(9)):
        with transaction() as session:
            queue.issue_walk_in(session, actor=clerk, zone_code="Z4", item_id=None, priority=None)
            queue.check_in(session, actor=clerk, number=booked["number"])
        shown = get(client, "/queue", hall_id=str(CITY_HALL))
        assert shown.headers["Cache-Control"] == "public, max-age=5"
        zone = next(one for one in shown.json["zones"] if one["zone_code"] == "Z4")
        assert (zone["waiting_booked"], zone["waiting_walk_in"], zone["called"]) == (1, 1, [])
        mine = get(client, f"/{booked['id']}/ticket", headers).json
        assert mine == {"number": "Y4001", "state": "WAITING", "ahead": 0, "window": None}
        with transaction() as session:
            queue.call_next(session, actor=clerk, window_code="Z4-07")
        zone = get(client, "/queue", hall_id=str(CITY_HALL)).json["zones"][3]
        assert zone["called"] == [{"number": "Y4001", "window": "综合窗口7", "state": "CALLED"}]
