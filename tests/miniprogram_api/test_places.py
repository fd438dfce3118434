"""Halls over HTTP: zones, windows, hours, today and the next open day."""

import time
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from casework.catalogue.answers import service as answers
from casework.catalogue.answers.queries import LOOK_SECONDS
from casework.places import service
from core import clock, db
from core.actors import System
from core.ids import uuid7
from miniprogram_api.places import HallDetailOut, HallPageOut
from tests.factories.catalogue import CITY_HALL

HALLS = "/api/v1/places/halls"


@pytest.fixture
def national_day() -> Iterator[None]:
    with clock.at(datetime(2026, 10, 1, 10, tzinfo=clock.SHANGHAI)):
        yield


def test_the_halls_fit_the_contract(client: FlaskClient) -> None:
    page = client.get(HALLS).get_json()
    assert HallPageOut().validate(page) == {}
    assert len(page["items"]) == 11
    assert page["items"][0]["name"] == "宁波市行政服务中心"
    assert "样例" in page["notice"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("level=CITY", 1),
        ("region=330281", 1),
        ("item_id=NB-002", 11),
        ("item_id=NB-013", 1),
        ("region=330200", 11),
        ("item_id=nb-013%20", 1),
    ],
)
def test_halls_are_narrowed(client: FlaskClient, query: str, count: int) -> None:
    assert len(client.get(f"{HALLS}?{query}").get_json()["items"]) == count


def test_halls_for_an_unknown_item(client: FlaskClient) -> None:
    assert client.get(f"{HALLS}?item_id=NB-999").status_code == 404


@pytest.mark.parametrize("query", ["region=1", "region=330999", "level=MOON", "item_id=_", "cursor=AAAA"])
def test_wrong_queries(client: FlaskClient, query: str) -> None:
    assert client.get(f"{HALLS}?{query}").status_code == 422


def test_where_there_is_no_hall_it_is_told_what_to_do(client: FlaskClient) -> None:
    for headers, says in (({}, "没有符合条件的地点"), ({"Accept-Language": "en"}, "No place matches")):
        page = client.get(f"{HALLS}?level=VILLAGE", headers=headers).get_json()
        assert HallPageOut().validate(page) == {}
        assert (page["items"], page["nothing_found"]["hotline"]) == ([], "12345")
        assert says in page["nothing_found"]["text"]
    assert client.get(HALLS).get_json()["nothing_found"] is None


def test_which_windows_take_an_item(client: FlaskClient) -> None:
    """S2: the combined windows of its zone, the special ones that name it."""
    halls = client.get(HALLS).get_json()["items"]
    city, county = (client.get(f"{HALLS}/{hall['id']}?item_id=NB-013").get_json() for hall in halls[:2])
    assert HallDetailOut().validate(city) == {}
    assert (city["takes_item"], [zone["code"] for zone in city["zones"]]) == (True, ["Z1"])
    kinds = [window["kind"] for window in city["zones"][0]["windows"]]
    assert (kinds.count("COMBINED"), kinds.count("SPECIAL")) == (11, 1)
    other = client.get(f"{HALLS}/{CITY_HALL}?item_id=NB-015").get_json()
    assert {window["kind"] for window in other["zones"][0]["windows"]} == {"COMBINED"}
    assert (county["takes_item"], county["zones"]) == (False, [])
    sale = client.get(f"{HALLS}/{CITY_HALL}?item_id=nb-002").get_json()
    assert {window["kind"] for window in sale["zones"][0]["windows"]} == {"COMBINED"}
    assert client.get(f"{HALLS}/{CITY_HALL}").get_json()["takes_item"] is None
    assert client.get(f"{HALLS}/{CITY_HALL}?item_id=NB-999").status_code == 404


def test_the_city_hall_has_8_zones_and_87_windows(client: FlaskClient) -> None:
    hall = client.get(f"{HALLS}/{CITY_HALL}").get_json()
    assert HallDetailOut().validate(hall) == {}
    assert len(hall["zones"]) == 8
    assert sum(len(zone["windows"]) for zone in hall["zones"]) == 87
    special = [window for zone in hall["zones"] for window in zone["windows"] if window["kind"] == "SPECIAL"]
    assert [window["name"] for window in special] == ["投资项目服务专窗", "行业准入服务专窗"]
    assert "NB-013" in special[0]["items"]
    assert [day["weekday"] for day in hall["hours"]] == [1, 2, 3, 4, 5]


def test_a_holiday_says_why_and_when_next(client: FlaskClient, national_day: None) -> None:
    hall = client.get(f"{HALLS}/{CITY_HALL}").get_json()
    assert hall["today"] == {
        "day": "2026-10-01", "open": False, "periods": [], "reason": "HOLIDAY",
        "reason_text": "法定节假日：国庆节", "provisional": False,
    }  # fmt: skip
    assert hall["next_open"]["day"] == "2026-10-08"
    assert hall["next_open"]["periods"][0] == {"opens": "09:00", "closes": "12:00"}
    english = client.get(f"{HALLS}/{CITY_HALL}", headers={"Accept-Language": "en"}).get_json()
    assert english["today"]["reason_text"].startswith("Public holiday")


def test_a_closure_shows_within_a_second(client: FlaskClient, own_database: str, national_day: None) -> None:
    assert client.get(f"{HALLS}/{CITY_HALL}").get_json()["next_open"]["day"] == "2026-10-08"
    with db.transaction() as session:
        service.add_exception(
            session, actor=System("test"), hall_id=CITY_HALL, day=date(2026, 10, 8), periods=[], reason="台风停办"
        )
    closed = time.monotonic()
    while client.get(f"{HALLS}/{CITY_HALL}").get_json()["next_open"]["day"] != "2026-10-09":
        assert time.monotonic() - closed < LOOK_SECONDS + 0.5
        time.sleep(0.02)


def test_an_unknown_hall_is_not_found(client: FlaskClient) -> None:
    response = client.get(f"{HALLS}/{uuid7()}")
    assert response.status_code == 404
    assert response.get_json()["code"] == "NOT_FOUND"


def test_a_hall_costs_few_queries_cold_and_at_most_one_warm(
    client: FlaskClient, own_database: str, count_queries: Any
) -> None:
    with db.transaction() as session:
        answers.touch(session)
    with count_queries() as cold:
        client.get(f"{HALLS}/{CITY_HALL}")
    with count_queries() as warm:
        for _ in range(10):
            client.get(f"{HALLS}/{CITY_HALL}")
    assert len(cold) <= 8
    assert len(warm) <= 1
