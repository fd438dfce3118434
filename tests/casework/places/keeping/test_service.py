"""What a hall manager changed by hand survives the next import, unless the file says something new of it too."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from casework.catalogue import service as catalogue
from casework.catalogue.generator import rules as generator
from casework.places import service as places
from casework.places.managing import service as managing
from casework.places.models import HallHours, PlaceImport, ServiceHall, ServiceWindow, WindowItem
from casework.places.points import rules as point_rules
from casework.places.points import service as points
from casework.places.points.models import ItemScope, ServicePoint
from casework.places.rules import WindowKind, WindowState, window_id
from core import db
from core.actors import Staff
from tests.conftest import ROOT
from tests.factories.auth import make_staff
from tests.factories.catalogue import CITY_HALL

WINDOW = window_id("NB-CITY", "Z4-01")
EVENING = (time(18), time(20))


def document() -> dict[str, Any]:
    path = ROOT / "casework" / "catalogue" / "sample" / "places.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def hall(said: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in said["halls"] if one["code"] == "NB-CITY")


def manager(session: Session) -> Staff:
    return make_staff(session, roles=["HALL_MANAGER"], hall_id=CITY_HALL)[0]


def by_hand(session: Session) -> None:
    """The manager opens on Monday evening only, and gives a window to one item."""
    actor = manager(session)
    edit = session.scalar(select(ServiceHall.edit).where(ServiceHall.id == CITY_HALL))
    managing.set_week(session, actor=actor, hall_id=CITY_HALL, edit=edit or 0, week={1: [EVENING]})
    edit = session.scalar(select(ServiceWindow.edit).where(ServiceWindow.id == WINDOW))
    managing.set_window(
        session, actor=actor, hall_id=CITY_HALL, window_id=WINDOW, edit=edit or 0, state=WindowState.PAUSED,
        kind=WindowKind.SPECIAL, items=["NB-001"],
    )  # fmt: skip


def now(session: Session) -> tuple[list[tuple[int, time, time]], str, list[str], str]:
    session.expire_all()
    hours = session.scalars(select(HallHours).where(HallHours.hall_id == CITY_HALL))
    window = session.get_one(ServiceWindow, WINDOW)
    items = session.scalars(select(WindowItem.item_id).where(WindowItem.window_id == WINDOW))
    return [(row.weekday, row.opens, row.closes) for row in hours], window.kind, list(items), window.state


def test_a_managers_hours_and_windows_stay(own_database: str) -> None:
    with db.transaction() as session:
        by_hand(session)
        edited = now(session)
        assert edited == ([(1, *EVENING)], "SPECIAL", ["NB-001"], "PAUSED")
        again = places.import_places(session, document())
        assert (again.faults, again.changed) == ((), 0)
        other = document()
        hall(other)["address"] = "新地址"
        assert places.import_places(session, other).changed > 0
        assert now(session) == edited
        assert session.get_one(ServiceHall, CITY_HALL).address == "新地址"
        point = session.scalars(select(ServicePoint).where(ServicePoint.hall_id == CITY_HALL)).one()
        assert point.address == "新地址"


def test_both_changed_is_a_fault_and_changes_nothing_until_somebody_chooses(own_database: str) -> None:
    other = document()
    hall(other)["hours"] = [{"weekdays": [2], "periods": [["09:00", "12:00"]]}]
    hall(other)["address"] = "新地址"
    with db.transaction() as session:
        by_hand(session)
        edited = now(session)
        report = places.import_places(session, other)
        index = [one["code"] for one in other["halls"]].index("NB-CITY")
        assert [(fault.path, fault.code) for fault in report.faults] == [(f"halls.{index}.hours", "EDITED_HERE")]
        assert now(session) == edited
        assert session.get_one(ServiceHall, CITY_HALL).address != "新地址"
        assert places.import_places(session, other, overwrite=True).faults == ()
        hours, _, items, _ = now(session)
        assert hours == [(2, time(9), time(12))]
        assert items == []
        assert places.import_places(session, other).changed == 0


@pytest.fixture
def city(own_database: str) -> dict[str, Any]:
    made = generator.points(
        catalogue.sample_document()["lookups"]["regions"], count=40, seed=1, items=catalogue.sample_document()["items"]
    )
    with db.transaction() as session:
        assert points.import_points(session, made).faults == ()
    return made


def edit(session: Session, code: str, **values: Any) -> None:
    session.execute(update(ServicePoint).where(ServicePoint.code == code).values(**values))


def test_a_points_edited_field_stays_and_the_others_follow_the_file(city: dict[str, Any]) -> None:
    other = copy.deepcopy(city)
    code = other["points"][0]["code"]
    with db.transaction() as session:
        assert points.import_points(session, city).changed == 0
        edit(session, code, consult="0574-87654321", name="改名")
        assert points.import_points(session, city).changed == 0
        other["points"][0]["address"] = "新地址"
        assert points.import_points(session, other).changed == 1
        session.expire_all()
        point = session.scalars(select(ServicePoint).where(ServicePoint.code == code)).one()
        assert (point.consult, point.name, point.address) == ("0574-87654321", "改名", "新地址")
        other["points"][0]["phone"] = "12345"
        report = points.import_points(session, other)
        (fault,) = report.faults
        assert (fault.path, fault.code, fault.place.row, fault.place.column) == (
            "points.0.phone", "EDITED_HERE", 1, "phone",
        )  # fmt: skip
        assert points.import_points(session, other, overwrite=True).changed == 1
        session.expire_all()
        point = session.scalars(select(ServicePoint).where(ServicePoint.code == code)).one()
        assert (point.consult, point.name) == ("12345", other["points"][0]["name"])


def test_seven_faults_of_points_are_told_with_entry_and_field_and_nothing_changes(city: dict[str, Any]) -> None:
    wrong = copy.deepcopy(city)
    some = wrong["points"]
    some[0]["region_code"] = "999999"
    some[1]["items"] = ["NB-002", "NB-777"]
    some[2]["latitude"] = 95
    some[3]["hours"].append(some[3]["hours"][0])
    some[4]["hours"][0]["periods"] = [["12:00", "09:00"]]
    some[5]["zones"] = ["Z99"]
    wrong["item_scopes"] = [{"item_id": "NB-888", "scope": "LOCAL"}]
    some[6]["name"] = "changed, but not written"
    with db.transaction() as session:
        shape = points.import_points(session, wrong).faults
        assert [(one.place.sheet, one.place.row, one.place.column) for one in shape] == [("points", 3, "latitude")]
        some[2]["latitude"] = 29.9
        faults = points.import_points(session, wrong).faults
        assert {(one.place.sheet, one.place.row, one.place.column, one.code) for one in faults} == {
            ("points", 1, "region_code", "UNKNOWN_REGION"),
            ("points", 2, "items", "NO_SUCH_ITEM"),
            ("points", 4, "hours", "TWICE"),
            ("points", 5, "hours", "PERIODS"),
            ("points", 6, "zones", "UNKNOWN_ZONE"),
            ("item_scopes", 1, "item_id", "NO_SUCH_ITEM"),
        }
        assert all(" / " in told["mend"] for told in (one.told() for one in faults))
        assert session.scalar(select(ServicePoint.name).where(ServicePoint.code == some[6]["code"])) != some[6]["name"]
        assert session.scalar(select(func.count()).select_from(ItemScope)) == 0


def test_made_up_points_take_items_as_their_kind_does(city: dict[str, Any]) -> None:
    known = {item["item_id"]: item for item in catalogue.sample_document()["items"]}
    assert all(point["items"] for point in city["points"])
    for point in city["points"]:
        assert {service for item in point["items"] for service in known[item]["service_objects"]} >= {"自然人"}
        if point["kind"] == "TERMINAL":
            assert {known[item]["case_type_code"] for item in point["items"]} == {"1"}


SCRIPT = """
import json, sys
from pathlib import Path
from casework.places.points import service
from core import db
db.configure(sys.argv[1], pool=2)
with db.transaction() as session:
    print(service.import_points(session, json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))).changed, flush=True)
    sys.stdin.read()
"""


def test_a_killed_import_of_points_changes_nothing(city: dict[str, Any], tmp_path: Path) -> None:
    other = copy.deepcopy(city)
    for point in other["points"]:
        point["phone"] = "killed"
    file = tmp_path / "points.json"
    file.write_text(json.dumps(other), encoding="utf-8")
    url = db.engine().url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, url, str(file)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout, process.stdin:  # type: ignore[union-attr]
        assert process.stdout.readline() == "40\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    with db.transaction() as session:
        session.execute(text("SET LOCAL lock_timeout = '20s'"))
        told = session.scalars(
            select(PlaceImport.said["phone"].astext).where(
                PlaceImport.place_id.in_([point_rules.point_id(point["code"]) for point in other["points"]])
            )
        ).all()
        assert set(told) == {"0574-12345"}
        assert points.import_points(session, other).changed == 40
