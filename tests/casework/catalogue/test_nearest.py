"""When nothing holds all of what was typed, what holds most of it is found."""

import pytest
from sqlalchemy.orm import Session

from casework.catalogue import queries
from casework.catalogue.queries import Filters
from core import clock


def _found(session: Session, typed: str, *, bookable: bool | None = None) -> list[str]:
    page = queries.search(
        session, Filters(q=typed, bookable=bookable), clock.today(), cursor=None, limit=10, language="zh"
    )
    return [entry["item_id"] for entry in page.items]


@pytest.mark.parametrize("typed", ["存量房转移登记", "房屋所有权转移登记存量房", "二手房存量房买卖转移登记"])
def test_words_left_out_are_forgiven(session: Session, typed: str) -> None:
    assert "NB-002" in _found(session, typed)[:3]


def test_filters_hold_for_near_matches_too(session: Session) -> None:
    assert "NB-002" not in _found(session, "存量房转移登记", bookable=False)


def test_nonsense_finds_nothing(session: Session) -> None:
    assert _found(session, "甲乙丙丁戊己庚辛") == []
