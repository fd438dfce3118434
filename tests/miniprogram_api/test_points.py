"""Near me over HTTP: order, pages, filters, what it costs, and that nobody's position stays anywhere."""

import logging
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from casework.catalogue.answers.queries import LOOK_SECONDS
from casework.catalogue.generator import rules as generator
from casework.catalogue.service import sample_document
from casework.places import service as places
from casework.places.points import rules, service
from casework.places.points.models import ServicePoint
from casework.places.points.rules import Datum, Position
from core import clock, db
from core.actors import System
from miniprogram_api.points import NearPageOut, PointDetailOut
from tests.factories.catalogue import CITY_HALL

NEAR = "/api/v1/places/near"
LAT, LNG = 29.8683, 121.5440
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=clock.SHANGHAI)
WHOLE, SOME = 3_121, 500


@pytest.fixture
def city(own_database: str, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Points all over the city, on a Tuesday morning: some, or as many as the test asks for."""
    count = getattr(request, "param", SOME)
    document = generator.points(sample_document()["lookups"]["regions"], count=count, seed=1)
    with clock.at(TUESDAY):
        with db.transaction() as session:
            report = service.import_points(session, document)
            assert (report.points, report.faults) == (count, ())
            session.execute(text("ANALYZE service_point"))
        yield document


def ask(client: FlaskClient, **query: Any) -> dict[str, Any]:
    answer = client.get(NEAR, query_string={"lat": LAT, "lng": LNG} | query)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def by_hand(document: dict[str, Any], at: Position) -> list[int]:
    """All distances, reckoned one by one."""
    with db.transaction() as session:
        halls = session.query(ServicePoint.latitude, ServicePoint.longitude).filter(ServicePoint.kind == "HALL").all()
    places = [Position(point["latitude"], point["longitude"]) for point in document["points"]]
    return sorted(round(rules.metres(at, place)) for place in [*places, *(Position(*hall) for hall in halls)])


@pytest.mark.parametrize(("lat", "lng"), [(LAT, LNG), (29.0, 121.0), (30.3, 122.2), (28.1, 118.2), (39.9, 116.4)])
def test_the_nearest_come_first_and_pages_join_up(
    client: FlaskClient, city: dict[str, Any], lat: float, lng: float
) -> None:
    wanted = by_hand(city, rules.gcj02(lat, lng, Datum.WGS84))
    found, cursor, seen = [], None, set()
    for _ in range(4):
        page = ask(client, lat=lat, lng=lng, limit=37, **({"cursor": cursor} if cursor else {}))
        found += [point["distance_m"] for point in page["items"]]
        seen |= {point["id"] for point in page["items"]}
        cursor = page["next_cursor"]
    assert found == wanted[:148]
    assert len(seen) == 148


def test_every_point_is_on_some_page_once(client: FlaskClient, city: dict[str, Any]) -> None:
    seen, cursor = [], None
    while True:
        page = ask(client, limit=100, **({"cursor": cursor} if cursor else {}))
        seen += [point["code"] for point in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == len(set(seen)) == SOME + 11


def test_the_answer_fits_the_contract(client: FlaskClient, city: dict[str, Any]) -> None:
    page = ask(client, limit=5)
    assert NearPageOut().validate(page) == {}
    assert page["coordinate_system"] == "GCJ-02"
    assert page["notice"]
    detail = client.get(f"/api/v1/places/points/{page['items'][0]['id']}").get_json()
    assert PointDetailOut().validate(detail) == {}
    assert detail["name"] == page["items"][0]["name"]


@pytest.mark.parametrize("city", [WHOLE], indirect=True)
def test_no_scan_of_all_points_and_one_query(client: FlaskClient, city: dict[str, Any], count_queries: Any) -> None:
    ask(client)
    with count_queries() as seen:
        ask(client, lat=LAT + 0.01)
    assert len([query for query in seen if "catalogue_revision" not in query]) == 1
    statement = next(query for query in seen if "service_point" in query)
    values = {"x": rules.on_map(Position(LAT, LNG))[0], "y": rules.on_map(Position(LAT, LNG))[1]}
    with db.engine().connect() as connection:
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
    assert "Index Scan using ix_service_point_place" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


def test_kind_and_radius_narrow(client: FlaskClient, city: dict[str, Any]) -> None:
    machines = ask(client, kind="TERMINAL", limit=10)["items"]
    assert {point["kind"] for point in machines} == {"TERMINAL"}
    near = ask(client, radius=3000, limit=100)
    at = rules.gcj02(LAT, LNG, Datum.WGS84)
    assert [point["distance_m"] for point in near["items"]] == [d for d in by_hand(city, at) if d <= 3000][:100]


def test_at_night_only_machines_are_open(client: FlaskClient, city: dict[str, Any]) -> None:
    assert ask(client)["items"][0]["open_now"]
    with clock.at(TUESDAY.replace(hour=3)):
        page = ask(client, open_now="true", limit=50)
        assert {point["kind"] for point in page["items"]} == {"TERMINAL"}
        assert len(page["items"]) == 50
        assert all(point["open_now"] for point in page["items"])
        assert not ask(client, kind="VILLAGE")["items"][0]["open_now"]
    with clock.at(TUESDAY.replace(hour=23, minute=59, second=30)):
        machine = ask(client, open_now="true", limit=1)["items"][0]
        assert machine["today"]["periods"] == [{"opens": "00:00", "closes": "24:00"}]
    with clock.at(TUESDAY.replace(month=10, day=1)):
        closed = ask(client, kind="TOWN", limit=1)["items"][0]
        assert (closed["open_now"], closed["today"]["reason_text"]) == (False, "法定节假日：国庆节")


def test_a_closed_hall_and_a_closed_point_say_why_in_both_languages(client: FlaskClient, city: dict[str, Any]) -> None:
    point = next(point for point in city["points"] if point["kind"] == "TOWN")
    said = {"day": "2026-11-24", "periods": [], "reason": "台风停办", "reason_en": "Closed by a typhoon"}
    document = city | {"points": [point | {"exceptions": [said]}]}
    with db.transaction() as session:
        assert service.import_points(session, document).changed == 1
        assert service.import_points(session, document).changed == 0
        places.add_exception(
            session, actor=System("test"), hall_id=CITY_HALL, day=TUESDAY.date(), periods=[], reason="停电",
            reason_en="Power cut",
        )  # fmt: skip
    at = {"lat": point["latitude"], "lng": point["longitude"], "datum": "GCJ02", "limit": 1}
    client.get(NEAR, query_string=at)
    with clock.at(TUESDAY):
        closed = client.get(NEAR, query_string=at, headers={"Accept-Language": "en"}).get_json()["items"][0]
    assert closed["code"] == point["code"]
    assert (closed["open_now"], closed["today"]["reason_text"]) == (False, "Special arrangement: Closed by a typhoon")
    hall = ask(client, kind="HALL", lat=29.8683, lng=121.6216, datum="GCJ02", limit=1)["items"][0]
    assert (hall["hall_id"], hall["distance_m"], hall["today"]["reason_text"]) == (
        str(CITY_HALL), 0, "临时安排：停电",
    )  # fmt: skip
    assert point["code"] not in {
        found["code"] for found in ask(client, **at | {"open_now": "true", "limit": 20})["items"]
    }


def test_only_points_that_take_the_item(client: FlaskClient, city: dict[str, Any]) -> None:
    some = [point for point in city["points"] if point["kind"] == "TOWN"][:3]
    with db.transaction() as session:
        zoned = [point | {"zones": ["Z4"]} for point in some[:2]] + [some[2] | {"items": ["NB-013"]}]
        assert service.import_points(session, city | {"points": zoned}).faults == ()
    by_zone = ask(client, item_id="NB-002", limit=100)["items"]
    assert {point["code"] for point in by_zone if point["kind"] != "HALL"} == {point["code"] for point in some[:2]}
    assert len([point for point in by_zone if point["kind"] == "HALL"]) == 11
    by_name = ask(client, item_id="NB-013", limit=100)["items"]
    assert {point["code"] for point in by_name} == {"NB-CITY", some[2]["code"]}
    with db.transaction() as session:
        reserved = {"item_id": "NB-002", "scope": "LOCAL", "reserved_to_city": True}
        assert service.import_points(session, city | {"points": [], "item_scopes": [reserved]}).changed == 1
    time.sleep(LOOK_SECONDS + 0.05)
    assert [point["code"] for point in ask(client, item_id="NB-002")["items"]] == ["NB-CITY"]
    assert client.get(NEAR, query_string={"lat": 1, "lng": 1, "item_id": "NB-999"}).status_code == 404


@pytest.mark.parametrize(
    "query", ["", "lat=91&lng=0", "lat=nan&lng=0", "lat=29", "lat=29&lng=121&radius=0", "lat=29&lng=121&kind=SHOP",
              "lat=29&lng=121&cursor=AAAA", "lat=29&lng=121&limit=101"]
)  # fmt: skip
def test_wrong_queries(client: FlaskClient, query: str) -> None:
    assert client.get(f"{NEAR}?{query}").status_code == 422


def test_the_position_is_nowhere(client: FlaskClient, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    """P-1."""
    with caplog.at_level(logging.DEBUG):
        answer = client.get(f"{NEAR}?lat=29.812345&lng=121.554321")
    assert "no-store" in answer.headers["Cache-Control"]
    said = caplog.text + "".join(capfd.readouterr())
    assert "812345" not in said
    assert "554321" not in said
