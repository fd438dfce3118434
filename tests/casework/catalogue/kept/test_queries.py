"""Items and halls that every booking asks for: read once, read again within a second of a change, never half told."""

import time
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue.answers import service as answers
from casework.catalogue.answers.queries import LOOK_SECONDS
from casework.catalogue.errors import ItemNotInForce
from casework.catalogue.kept import queries as kept
from casework.catalogue.kept.queries import ByRevision
from casework.places import queries as places
from casework.places.kept import queries as kept_places
from casework.places.rules import hall_id
from core import clock, db
from core.errors import NotFound

ITEM, DAY = "NB-002", date(2026, 11, 24)


class Counted:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, _session: Session, key: int) -> int:
        self.asked.append(key)
        return key * 2


def test_the_item_and_the_hall_are_what_they_are(database: Flask, count_queries: Callable[[], Any]) -> None:
    key = hall_id("NB-CITY")
    with db.transaction() as session:
        assert kept.item_in_force(session, ITEM, DAY) == catalogue.item_in_force(session, ITEM, DAY)
        assert kept_places.hall(session, key) == places.hall(session, key)
        with count_queries() as queries:
            kept.item_in_force(session, ITEM, DAY)
            kept_places.hall(session, key)
        assert len(queries) <= 1


def test_what_there_isn_t_is_refused_each_time(database: Flask) -> None:
    with db.transaction() as session:
        for _ in range(2):
            with pytest.raises(NotFound):
                kept.item_in_force(session, "NB-999", DAY)
            with pytest.raises(ItemNotInForce):
                kept.item_in_force(session, ITEM, date(2000, 1, 1))
            with pytest.raises(NotFound):
                kept_places.hall(session, UUID(int=1))


def test_a_change_shows_within_a_second(own_database: str) -> None:
    key = hall_id("NB-CITY")
    with db.transaction() as session:
        before = kept_places.hall(session, key).name
        session.execute(text("UPDATE hall SET name = name || '（新址）' WHERE id = :key"), {"key": key})
        answers.touch(session)
    changed = time.monotonic()
    name = before
    while name == before:
        assert time.monotonic() - changed < LOOK_SECONDS + 0.5
        with db.transaction() as session:
            name = kept_places.hall(session, key).name
        time.sleep(0.02)
    assert name == f"{before}（新址）"


def test_many_keys_are_not_kept_for_ever(database: Flask) -> None:
    count = Counted()
    values = ByRevision(count, most=2)
    with db.transaction() as session:
        assert [values.get(session, key) for key in (1, 1, 2, 2, 3, 3)] == [2, 2, 4, 4, 6, 6]
        assert count.asked == [1, 2, 3]
        values.get(session, 1)
    assert count.asked == [1, 2, 3, 1]


def test_another_day_is_another_item(database: Flask) -> None:
    """The day is the caller's: what is kept for today says nothing about another."""
    with db.transaction() as session:
        today = kept.item_in_force(session, ITEM, clock.today())
        with pytest.raises(ItemNotInForce):
            kept.item_in_force(session, ITEM, date(1990, 1, 1))
        assert kept.item_in_force(session, ITEM, clock.today()) is today
