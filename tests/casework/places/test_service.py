"""Importing places, and opening or closing a hall on one day."""

import copy
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from casework.catalogue import service as catalogue
from casework.places import queries, service
from casework.places.models import HallException, ServiceHall, ServiceWindow
from casework.places.rules import Cause, Level, WindowState, hall_id, window_id
from core import clock, db
from core.actors import Staff, System
from core.audit import AuditEntry
from core.errors import InvalidInput, NotFound
from core.ids import uuid7
from tests.factories.catalogue import CITY_HALL

MORNING, AFTERNOON = (time(9), time(12)), (time(13, 30), time(17))
OPERATOR = System("test")
MONDAY = datetime(2026, 11, 23, 10, tzinfo=clock.SHANGHAI)


@pytest.fixture
def monday() -> Any:
    with clock.at(MONDAY):
        yield MONDAY.date()


def manager(hall: Any) -> Staff:
    return Staff(uuid7(), uuid7(), frozenset({"HALL_MANAGER"}), hall_id=hall)


def test_the_city_hall_has_8_zones_and_87_windows(session: Session) -> None:
    hall = queries.hall_by_code(session, "NB-CITY")
    assert (hall.id, hall.name, hall.level) == (CITY_HALL, "宁波市行政服务中心", Level.CITY)
    assert queries.hall(session, CITY_HALL) == hall
    zones = queries.zone_codes(session, CITY_HALL)
    assert zones == ["Z1", "Z2", "Z3", "Z4", "Z5", "Z6", "Z7", "Z8"]
    counts = [queries.window_count(session, CITY_HALL, zone) for zone in zones]
    assert counts == [12, 12, 8, 16, 12, 7, 6, 14]
    assert sum(counts) == 87


def test_every_region_has_a_hall_and_the_city_comes_first(session: Session) -> None:
    page = queries.halls(session, region=None, level=None, item_id=None, cursor=None, limit=100)
    assert [hall.id for hall in page.items] == queries.hall_ids(session)
    assert page.items[0].id == CITY_HALL
    assert len(page.items) == 11
    assert len({hall.region_code for hall in page.items[1:]}) == 10
    assert all(hall.is_sample for hall in page.items[1:])


def test_pages_of_halls_join_up(session: Session) -> None:
    found, cursor = [], None
    while True:
        page = queries.halls(session, region=None, level=None, item_id=None, cursor=cursor, limit=4)
        found += [hall.id for hall in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert found == queries.hall_ids(session)


def test_the_same_places_twice_change_nothing_and_keys_are_the_same(own_database: str) -> None:
    with db.transaction() as session:
        before = set(session.scalars(select(ServiceHall.id))) | set(session.scalars(select(ServiceWindow.id)))
        report = catalogue.import_sample_places(session)
        assert (report.halls, report.windows, report.changed) == (11, 227, 0)
        after = set(session.scalars(select(ServiceHall.id))) | set(session.scalars(select(ServiceWindow.id)))
        assert after == before


def smaller() -> dict[str, Any]:
    return {
        "disclaimer": "",
        "halls": [
            {
                "code": "NB-CITY",
                "name": "宁波市行政服务中心",
                "level": "CITY",
                "region_code": "330212",
                "address": "宁波市鄞州区宁穿路1901号",
                "consult": "12345",
                "sample": True,
                "zones": [{"zone_code": "Z4", "area": "", "windows": 14}],
                "special_windows": [{"zone_code": "Z4", "number": 2, "name": "带押过户专窗", "items": ["NB-002"]}],
                "hours": [{"weekdays": [1, 2], "periods": [["08:30", "12:00"]]}],
            }
        ],
    }


def test_windows_that_are_gone_are_closed_and_paused_ones_stay_paused(own_database: str, monday: date) -> None:
    paused = window_id("NB-CITY", "Z4-01")
    with db.transaction() as session:
        session.execute(update(ServiceWindow).where(ServiceWindow.id == paused).values(state=WindowState.PAUSED))
        assert service.import_places(session, smaller()).changed > 0
        assert queries.window_count(session, CITY_HALL, "Z4") == 13
        assert queries.window_count(session, CITY_HALL, "Z1") == 0
        assert (
            session.scalar(select(func.count()).select_from(ServiceWindow).where(ServiceWindow.hall_id == CITY_HALL))
            == 87
        )
        assert queries.open_periods(session, CITY_HALL, monday) == ((time(8, 30), time(12)),)
        assert queries.open_periods(session, CITY_HALL, monday + timedelta(days=2)) == ()
        assert CITY_HALL not in {hall.id for hall in queries.halls_for_item(session, "NB-012")}
        assert service.import_places(session, smaller()).changed == 0


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda d: d.update(colour="red"), "colour"),
        (lambda d: d["halls"][0].pop("address"), "halls.0.address"),
        (lambda d: d["halls"].append(copy.deepcopy(d["halls"][0])), "halls.1.code"),
        (lambda d: d["halls"][0]["zones"].append(d["halls"][0]["zones"][0]), "halls.0.zones"),
        (lambda d: d["halls"][0]["special_windows"][0].update(number=15), "halls.0.special_windows.0"),
        (lambda d: d["halls"][0]["hours"].append(d["halls"][0]["hours"][0]), "halls.0.hours"),
        (lambda d: d["halls"][0]["hours"][0].update(periods=[["12:00", "09:00"]]), "halls.0.hours.0.periods"),
        (lambda d: d["halls"][0]["hours"][0].update(periods=[["9", "12:00"]]), "halls.0.hours.0.periods"),
    ],
)
def test_faulty_places_are_refused_with_their_place(
    session: Session, change: Callable[[dict[str, Any]], object], path: str
) -> None:
    document = smaller()
    change(document)
    report = service.import_places(session, document)
    assert any(fault.path.startswith(path) for fault in report.faults), report.faults
    assert queries.window_count(session, CITY_HALL, "Z1") == 12


def test_special_windows_take_only_their_items(own_database: str) -> None:
    with db.transaction() as session:
        service.import_places(session, smaller())
        takes = {hall.id for hall in queries.halls_for_item(session, "NB-002")}
        assert CITY_HALL in takes
        # Only the special window is left: it doesn't take NB-001.
        session.execute(
            update(ServiceWindow)
            .where(ServiceWindow.hall_id == CITY_HALL, ServiceWindow.id != window_id("NB-CITY", "Z4-02"))
            .values(state=WindowState.PAUSED)
        )
        assert CITY_HALL in {hall.id for hall in queries.halls_for_item(session, "NB-002")}
        assert CITY_HALL not in {hall.id for hall in queries.halls_for_item(session, "NB-001")}


def test_halls_that_take_an_item(session: Session) -> None:
    assert len(queries.halls_for_item(session, "NB-002")) == 11
    assert [hall.code for hall in queries.halls_for_item(session, "NB-013")] == ["NB-CITY"]
    with pytest.raises(NotFound):
        queries.halls_for_item(session, "NB-999")


def test_a_typhoon_closes_and_a_saturday_opens(session: Session, monday: date) -> None:
    """AP-4."""
    tuesday, saturday = monday + timedelta(days=1), monday + timedelta(days=5)
    assert queries.open_periods(session, CITY_HALL, tuesday) == (MORNING, AFTERNOON)
    service.add_exception(session, actor=OPERATOR, hall_id=CITY_HALL, day=tuesday, periods=[], reason="台风停办")
    service.add_exception(
        session, actor=OPERATOR, hall_id=CITY_HALL, day=saturday, periods=[MORNING], reason="周末延时服务"
    )
    assert queries.open_periods(session, CITY_HALL, tuesday) == ()
    assert queries.opening(session, CITY_HALL, tuesday).cause == Cause.EXCEPTION
    assert queries.open_periods(session, CITY_HALL, saturday) == (MORNING,)
    assert queries.open_periods(session, hall_id("NB-330203"), tuesday) == (MORNING, AFTERNOON)
    assert [found.open for found in queries.openings(session, CITY_HALL, monday, saturday)] == [
        True, False, True, True, True, True,
    ]  # fmt: skip


def test_what_is_said_last_of_a_day_holds_and_all_of_it_is_audited(session: Session, monday: date) -> None:
    actor = manager(CITY_HALL)
    for periods in ([], [MORNING]):
        service.add_exception(session, actor=actor, hall_id=CITY_HALL, day=monday, periods=periods, reason="系统升级")
    assert queries.open_periods(session, CITY_HALL, monday) == (MORNING,)
    assert session.scalar(select(func.count()).select_from(HallException)) == 1
    entries = list(
        session.scalars(select(AuditEntry).where(AuditEntry.object_id == str(CITY_HALL)).order_by(AuditEntry.seq))
    )
    assert [entry.actor for entry in entries] == [actor.audit_id] * 2
    assert entries[0].digest_before is None
    assert entries[1].digest_before == entries[0].digest_after


def test_a_manager_closes_only_the_own_hall(session: Session, monday: date) -> None:
    for actor, hall in ((manager(hall_id("NB-330203")), CITY_HALL), (manager(None), CITY_HALL), (OPERATOR, uuid7())):
        with pytest.raises(NotFound):
            service.add_exception(session, actor=actor, hall_id=hall, day=monday, periods=[], reason="停电")


@pytest.mark.parametrize(
    "wrong",
    [{"day": MONDAY.date() - timedelta(days=1)}, {"reason": "  "}, {"periods": [(time(12), time(9))]}],
)
def test_an_exception_makes_sense(session: Session, monday: date, wrong: dict[str, Any]) -> None:
    said: dict[str, Any] = {"day": monday, "periods": [], "reason": "停电"} | wrong
    with pytest.raises(InvalidInput):
        service.add_exception(session, actor=OPERATOR, hall_id=CITY_HALL, **said)


def test_opening_days_cost_two_queries_however_many_they_are(
    session: Session, count_queries: Any, monday: date
) -> None:
    queries.opening(session, CITY_HALL, monday)
    with count_queries() as seen:
        assert len(queries.openings(session, CITY_HALL, monday, monday + timedelta(days=30))) == 31
    assert len(seen) == 2


def test_an_unknown_hall_is_not_found_and_never_open(database: Flask, session: Session, monday: date) -> None:
    with pytest.raises(NotFound):
        queries.hall(session, uuid7())
    with pytest.raises(NotFound):
        queries.hall_by_code(session, "NB-NONE")
    assert queries.open_periods(session, uuid7(), monday) == ()
    assert queries.window_count(session, uuid7(), "Z4") == 0
