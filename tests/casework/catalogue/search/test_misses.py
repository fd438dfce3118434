"""What is kept of searches in vain, and what never is."""

from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from auth.staff.roles import FRONT_CLERK, ITEM_MANAGER
from casework.catalogue.search.misses import queries, service
from casework.catalogue.search.misses.rules import keepable
from core import clock, db

DAY = date(2026, 11, 24)


@pytest.mark.parametrize("typed", ["飞船登记", "养鹦鹉许可证", "spaceship permit", "ｆｏｏ", "太空旅行签证怎么办"])
def test_words_are_kept_folded(typed: str) -> None:
    assert keepable(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "330203199001011234", "13800138000", "张三", "王小明", "欧阳锋", "zhangsan", "li xiaoming", "a@b.cn", "某路12号",
        "幸福小区3幢", "查13800138000的社保", "我的身份证号", "x", "", "，", "长" * 30,
    ],
)  # fmt: skip
def test_numbers_addresses_and_names_are_not_kept(typed: str) -> None:
    assert keepable(typed) is None


def test_the_same_text_is_counted_by_day(session: Session) -> None:
    for day in (DAY, DAY, DAY - timedelta(days=1)):
        service.note(session, typed="飞船登记", day=day)
    service.note(session, typed="张三", day=DAY)
    service.note(session, typed="太空旅行", day=DAY)
    found = queries.most_missed(session, since=DAY - timedelta(days=6), limit=10)
    assert [(miss.text, miss.times, miss.last_day) for miss in found] == [("飞船登记", 3, DAY), ("太空旅行", 1, DAY)]
    service.forget(session, day=DAY + timedelta(days=service.KEPT_DAYS + 1))
    assert queries.most_missed(session, since=date.min, limit=10) == []


def test_a_day_keeps_no_more_than_so_many_texts(session: Session) -> None:
    letters = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
    texts = [f"飞船{one}{two}{three}" for one in letters for two in letters for three in letters[:5]]
    for text in texts[: service.MOST_A_DAY + 5]:
        service.note(session, typed=text, day=DAY)
    found = queries.most_missed(session, since=DAY, limit=10_000)
    assert len(found) == service.MOST_A_DAY
    service.note(session, typed=found[0].text, day=DAY)


def test_a_search_in_vain_is_counted_for_the_item_managers(client: FlaskClient, staff: Any) -> None:
    for path in ("q=太空飞碟", "q=护照", "q=太空飞碟&zone=Z1", "q=张三"):
        assert client.get(f"/api/v1/catalogue/items?{path}").status_code == 200
    _, manager = staff(ITEM_MANAGER)
    answer = client.get("/staff/v1/search/misses?days=1", headers=manager)
    assert answer.get_json() == {"items": [{"text": "太空飞碟", "times": 1, "last_day": clock.today().isoformat()}]}
    _, clerk = staff(FRONT_CLERK)
    assert client.get("/staff/v1/search/misses", headers=clerk).status_code == 403
    with db.transaction() as session:
        assert len(queries.most_missed(session, since=date.min, limit=10)) == 1
