"""With 20,000 items no search reads the whole table, and few statements do all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import product
from typing import Any

import pytest
from psycopg import Connection
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from casework.catalogue.generator.rules import matters
from casework.catalogue.search import queries, service
from casework.catalogue.search.queries import Filters
from casework.catalogue.search.ranking.rules import Texts, item_terms
from core import clock, db, ids

ITEMS = 20_000
PLACES = ("", "海曙区", "江北区", "北仑区", "镇海区", "鄞州区", "奉化区", "象山县")
COLUMNS = (
    "version_id, item_id, effective_from, zone_code, department_id, region_code, service_objects, online_depth, bookable, "
    "deliverable, hot, is_sample, title, name, head, also, body, said, initials, terms, entry_zh, entry_en"
)


@pytest.fixture
def city(own_database: str) -> Iterator[None]:
    """The index of a big city: its rows alone, without the items behind them."""
    with db.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, Connection)
        named = list(zip(range(ITEMS), product(matters(), PLACES), strict=False))
        for at in range(0, ITEMS, 1_000):
            with connection.cursor() as cursor, cursor.copy(f"COPY item_search ({COLUMNS}) FROM STDIN") as copy:
                for number, (matter, place) in named[at : at + 1_000]:
                    copy.write_row(_row(number, f"{matter.name}({place})"))
        service.count_terms(session)
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE item_search"))
    yield


def _row(number: int, name: str) -> tuple[Any, ...]:
    texts = Texts.of(name, ["审批结果", "宁波市某某局"], ["申请表", "营业执照"])
    item_id = f"SY-{number:06d}"
    terms = item_terms(item_id, (), texts)
    fixed = ("Z1", "D01", "330200", ["PERSON"], "III", number % 2 == 0, True, number % 25 == 0, True)
    line = '{"item_id":"' + item_id + '"}'
    return (ids.uuid7(), item_id, date(2020, 1, 1), *fixed, name, *texts, terms, line, line)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """The statements inside the block, with their values."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        seen.append((statement, values))

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)


def look(session: Session, **filters: Any) -> list[str]:
    found = queries.search(session, Filters(**filters), clock.today(), cursor=None, limit=20, language="zh")
    return [entry.item_id for entry in found.items]


TYPED = (
    "取水许可变更", "qushuixukebiangeng", "qsxk", "开饭店", "登记 变更", "许可", "取水许克", "营业执照", "海曙区", "取", "sy-000123", "",
)  # fmt: skip


def test_no_search_reads_the_whole_table_and_the_right_one_of_20_000_is_first(city: None) -> None:
    with db.transaction() as session:
        look(session, q="取水")
        for typed in TYPED:
            with statements() as seen:
                look(session, q=typed)
            assert len(seen) <= 5
            for statement, values in seen:
                plan = "\n".join(session.connection().exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
                assert "Seq Scan on item_search" not in plan, (typed, statement, plan)
        rows = session.connection().exec_driver_sql("SELECT item_id, title FROM item_search")
        titles: dict[str, str] = {row[0]: row[1] for row in rows}
        for typed in ("海曙区取水许可变更", "取水许可变更海曙区", "qushuixukebiangeng haishuqu", "取水许克变更海曙区"):
            assert titles[look(session, q=typed)[0]] == "取水许可变更(海曙区)", typed
