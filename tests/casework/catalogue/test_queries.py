"""Reading items and searching, counted in queries."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from casework.catalogue import queries
from casework.catalogue.lookups import queries as lookups
from casework.catalogue.queries import Filters
from core import clock
from core.errors import InvalidInput, NotFound
from core.ids import uuid7
from core.workdays import Limit
from tests.factories import catalogue


def find(session: Session, *, limit: int = 100, cursor: str | None = None, **filters: Any) -> list[str]:
    page = queries.search(session, Filters(**filters), clock.today(), cursor=cursor, limit=limit, language="zh")
    return [entry["item_id"] for entry in page.items]


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


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("护照", ["NB-052", "NB-053"]),
        ("二手房", ["NB-002"]),
        ("歌舞娱乐", ["NB-046"]),
        ("ＡＰＥＣ", ["NB-082"]),
        ("nb-046", ["NB-046"]),
        ("公积金 租房", ["NB-098"]),
        ("驾照", ["NB-064", "NB-065"]),
        ("离婚登记", ["NB-101"]),
    ],
)
def test_items_are_found_by_name_code_and_other_words(session: Session, typed: str, wanted: list[str]) -> None:
    assert find(session, q=typed) == wanted


def test_the_better_match_comes_first_then_the_hot_ones(session: Session) -> None:
    assert find(session, q="居民身份证")[:3] == ["NB-057", "NB-058", "NB-059"]
    assert find(session, q="养犬登记") == ["NB-068"]
    names = find(session, q="结婚")
    assert names[0] == "NB-100"
    everything = find(session)
    page = queries.search(session, Filters(), clock.today(), cursor=None, limit=100, language="zh").items
    assert len(everything) == 100
    assert [entry["hot"] for entry in page] == sorted((entry["hot"] for entry in page), reverse=True)


def test_one_character_finds_names_that_begin_with_it(session: Session) -> None:
    assert find(session, q="养") == ["NB-068"]
    assert find(session, q="犬") == []
    assert find(session, q="%") == []


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"zone": "Z4"}, 11), ({"zone": "Z5", "hot": True}, 17), ({"hot": True}, 85), ({"bookable": False}, 10),
        ({"deliverable": True}, 89), ({"department": "D06"}, 21), ({"service_object": "PERSON"}, 74),
        ({"service_object": "OTHER"}, 1), ({"zone": "Z9"}, 0), ({"zone": "Z4", "q": "抵押"}, 3),
    ],
)  # fmt: skip
def test_filters_narrow(session: Session, filters: dict[str, Any], count: int) -> None:
    found, cursor = [], None
    while True:
        page = queries.search(session, Filters(**filters), clock.today(), cursor=cursor, limit=40, language="zh")
        found += [entry["item_id"] for entry in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert len(found) == count


@pytest.mark.parametrize("typed", ["", "登记", "不动产", "宁波市"])
def test_pages_join_up_without_gap_or_repetition(session: Session, typed: str) -> None:
    whole, cursor = [], None
    while True:
        page = queries.search(session, Filters(q=typed), clock.today(), cursor=cursor, limit=7, language="zh")
        whole += [entry["item_id"] for entry in page.items]
        if (cursor := page.next_cursor) is None:
            break
        assert len(page.items) == 7
    assert len(whole) == len(set(whole))
    assert whole[:100] == find(session, q=typed)
    assert len(whole) == 114 or typed


@pytest.mark.parametrize("cursor", ["!!", "AAAA", "eCBOQi0wMDE", "MSA", "MSAA"])
def test_a_made_up_cursor_is_refused(session: Session, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        queries.search(session, Filters(), clock.today(), cursor=cursor, limit=5, language="zh")


def test_a_page_of_search_is_one_query_and_can_use_the_index(session: Session, count_queries: Any) -> None:
    with count_queries() as seen:
        find(session, q="身份证", zone="Z5")
    assert len(seen) == 1
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = session.execute(text("EXPLAIN SELECT 1 FROM item_version WHERE search_terms @> ARRAY['护照']")).scalars()
    assert "ix_item_version_search_terms" in " ".join(plan)


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
