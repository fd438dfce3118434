"""Kept answers: made once, made again when the catalogue changes, seen by every process within a second."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from flask import Flask

from casework.catalogue.answers import queries, service
from core import clock, db
from core.errors import InvalidInput
from core.ids import uuid7


class Maker:
    """Counts how often it is asked."""

    def __init__(self, size: int = 1) -> None:
        self.made = 0
        self.size = size

    def __call__(self) -> dict[str, Any]:
        self.made += 1
        return {"made": self.made, "filling": "x" * self.size}


@pytest.fixture
def key() -> str:
    return f"test {uuid7()}"


def ask(key: str, make: Maker) -> bytes:
    found = queries.kept(key)
    if found is None:
        with db.transaction() as session:
            revision = queries.revision(session)
            found = queries.kept(key) or queries.keep(key, revision, orjson.dumps(make()))
    return found.body


def test_an_answer_is_made_once_and_warm_ones_ask_the_database_nothing(
    database: Flask, count_queries: Any, key: str
) -> None:
    make = Maker()
    ask(key, make)
    with count_queries() as seen:
        bodies = {ask(key, make) for _ in range(20)}
    assert bodies == {b'{"made":1,"filling":"x"}'}
    assert make.made == 1
    assert len(seen) <= 1


def test_a_change_shows_within_a_second(own_database: str, key: str) -> None:
    make = Maker()
    ask(key, make)
    with db.transaction() as session:
        service.touch(session)
    changed = time.monotonic()
    while ask(key, make) == b'{"made":1,"filling":"x"}':
        assert time.monotonic() - changed < queries.LOOK_SECONDS + 0.5
        time.sleep(0.02)
    assert make.made == 2


def test_a_change_that_is_rolled_back_is_none(own_database: str, key: str) -> None:
    make = Maker()
    ask(key, make)
    with db.transaction() as session:
        service.touch(session)
        session.rollback()
    time.sleep(queries.LOOK_SECONDS + 0.05)
    ask(key, make)
    assert make.made == 1


def test_another_day_is_another_answer(database: Flask, key: str) -> None:
    make = Maker()
    ask(key, make)
    with clock.shift(timedelta(days=1)):
        ask(key, make)
    ask(key, make)
    assert make.made == 2


def test_another_database_is_another_catalogue(database: Flask, request: pytest.FixtureRequest, key: str) -> None:
    make = Maker()
    ask(key, make)
    request.getfixturevalue("own_database")
    with db.transaction() as session:
        service.touch(session)
    ask(key, make)
    assert make.made == 2


def test_what_is_kept_is_bounded_and_the_longest_unused_goes_first(database: Flask, key: str) -> None:
    megabyte = 1024 * 1024
    makers = [Maker(megabyte) for _ in range(20)]
    for number, make in enumerate(makers):
        ask(f"{key} {number}", make)
        ask(f"{key} 0", makers[0])
    assert makers[0].made == 1
    ask(f"{key} 19", makers[19])
    assert makers[19].made == 1
    ask(f"{key} 1", makers[1])
    assert makers[1].made == 2


@pytest.fixture
def many_threads() -> Iterator[list[threading.Thread]]:
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join(10)


def test_threads_share_answers(database: Flask, key: str, many_threads: list[threading.Thread]) -> None:
    make = Maker()
    bodies: list[bytes] = []
    for _ in range(8):
        many_threads.append(threading.Thread(target=lambda: bodies.extend(ask(key, make) for _ in range(50))))
    for thread in many_threads:
        thread.start()
    for thread in many_threads:
        thread.join(10)
    assert len(bodies) == 400
    assert make.made <= 8


@pytest.mark.parametrize(
    "position", ["", "x NB-001", "1", "1 ", "1 nb 1", "-1 NB-001", "12345678901 NB-001", "１ NB-001"]
)
def test_a_position_is_a_number_and_a_key(position: str) -> None:
    from core.web import paging

    assert queries.position(paging.encode("3 NB-001")) == (3, "NB-001")
    with pytest.raises(InvalidInput):
        queries.position(paging.encode(position))
