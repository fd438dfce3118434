"""Reading items, counted in queries."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from casework.catalogue import queries
from casework.catalogue.lookups import queries as lookups
from core import clock
from core.errors import NotFound
from core.ids import uuid7
from core.workdays import Limit
from tests.factories import catalogue


def test_an_item_is_read_whole_in_one_query(session: Session, count_queries: Any) -> None:
    with count_queries() as seen:
        found = queries.item_in_force(session, "NB-002", catalogue.SAMPLE_DAY)
    assert len(seen) == 1
    pure = catalogue.item("NB-002")
    assert found.materials == pure.materials
    assert found.questions == pure.questions
    assert found.fee_lines == pure.fee_lines
    assert found.promised_limit == Limit(0)
    assert (found.department_name, found.department_name_2017) == ("宁波市自然资源和规划局", "宁波市国土资源局")


def test_every_item_reads_as_it_was_imported(session: Session) -> None:
    for item_id in catalogue.contents():
        found = queries.item_in_force(session, item_id, catalogue.SAMPLE_DAY)
        pure = catalogue.item(item_id)
        for name in pure.__slots__:
            if name not in {"version_id", "source", "confidence"}:
                assert getattr(found, name) == getattr(pure, name), (item_id, name)


@pytest.mark.parametrize("item_id", ["NB-999", "", "nb-001", "NB-001\x00", "x" * 300])
def test_a_code_that_was_never_given_is_not_found(session: Session, item_id: str) -> None:
    with pytest.raises(NotFound):
        queries.item_in_force(session, item_id, clock.today())


def test_an_unknown_version_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        queries.item_version(session, uuid7())


def test_the_reference_lists_count_their_items(session: Session) -> None:
    day = clock.today()
    assert [zone["items"] for zone in lookups.zones(session, day)] == [16, 8, 16, 11, 18, 10, 9, 26]
    assert sum(found["items"] for found in lookups.departments(session, day)) == 114
    topics = {topic["key"]: topic for topic in lookups.topics(session, day)}
    assert (topics["ENTERTAINMENT"]["before_days"], topics["ENTERTAINMENT"]["after_days"]) == (100, 30)
    assert "NB-046" in topics["ENTERTAINMENT"]["items"]
    assert topics["CINEMA"]["items"] == []
    packages = {package["key"]: package["items"] for package in lookups.packages(session, day)}
    assert len(packages["NEWBORN"]) == 6
    groups = [tile["group"] for tile in lookups.tiles(session)]
    assert (groups.count("生活服务"), groups.count("交通出行"), groups.count("社保公积金")) == (9, 8, 7)
    assert len({tile["department_id"] for tile in lookups.tiles(session)}) == 20
    assert len(lookups.regions(session)) == 10
    assert len(lookups.dev_zones(session)) == 8
