"""Honest duration: what the clock counted of real cases, and when too few tell nothing."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from casework.cases import service as cases
from casework.catalogue.answers.queries import LOOK_SECONDS
from casework.durations import jobs, queries, rules, service
from casework.durations.models import ItemDuration
from casework.durations.rules import DurationPolicy, Measured
from core import calendar, clock
from core.db import engine, transaction
from core.workdays import add_workdays
from miniprogram_api.guides import ItemOut
from tests.factories import cases as make
from tests.factories.catalogue import CITY_HALL

People = Callable[..., tuple[Any, dict[str, str]]]
MEASURED_ON = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("values", "p50", "p90"),
    [
        ([3], 3, 3),
        ([1, 2], 1, 2),
        (range(1, 11), 5, 9),
        (range(1, 12), 6, 10),
        ([0] * 9 + [30], 0, 0),
        ([0] * 8 + [30, 40], 0, 30),
    ],
)
def test_nearest_rank(values: Sequence[int], p50: int, p90: int) -> None:
    counts = Counter(values)
    assert (rules.percentile(counts, 50), rules.percentile(counts, 90)) == (p50, p90)


def test_too_few_tell_nothing() -> None:
    nine, ten = Counter({4: 9}), Counter({4: 10})
    assert rules.measure(nine) == Measured(9, None, None)
    assert rules.measure(ten) == Measured(10, 4, 4)
    assert "太少" in rules.text(rules.measure(nine), "zh-CN")
    assert rules.text(None, "en") == "Too few cases in the last 180 days to tell"
    assert "一半的件在4个工作日内" in rules.text(rules.measure(ten), "zh-CN")
    assert "half took at most the same day, nine in ten at most 1 working day" in rules.text(Measured(10, 0, 1), "en")


@pytest.fixture
def decide(citizen: People, staff: People) -> Callable[..., None]:
    owner, clerk = citizen(level=2)[0], staff("FRONT_CLERK", hall_id=CITY_HALL)[0]
    officer = staff("BACK_OFFICER", department_id=make.DEPARTMENT)[0]

    def one(accepted: str, decided: str, *, stood_still: tuple[str, str] | None = None) -> None:
        with transaction() as session, clock.at(make.at(accepted)):
            case = make.accepted(session, owner, clerk)
        if stood_still:
            with transaction() as session, clock.at(make.at(stood_still[0])):
                cases.suspend(session, actor=officer, case_id=case.id, name="公告", reason="遗失声明公示")
            with transaction() as session, clock.at(make.at(stood_still[1])):
                cases.resume(session, actor=officer, case_id=case.id)
        with transaction() as session, clock.at(make.at(decided, 16)):
            cases.decide(session, actor=officer, case_id=case.id, granted=True)

    return one


def test_a_worked_example(client: FlaskClient, decide: Callable[..., None]) -> None:
    """Ten cases of 2026: nine of 1 to 9 working days, and one of 13 that stood still for two weeks."""
    with transaction() as session:
        days = calendar.load(session)
    for took in range(1, 10):
        decide("2026-05-06", add_workdays(date(2026, 5, 6), took, days).isoformat())
    # 05-09 is a make-up Saturday, 05-11 … 05-15 are five days, 05-16 … 05-29 stand still, 06-01 … 06-09 are seven.
    decide("2026-05-08", "2026-06-09", stood_still=("2026-05-15", "2026-05-29"))
    # Decided before the window, and on the day of measuring.
    decide("2025-12-01", "2025-12-30")
    decide("2026-06-29", "2026-06-30")
    with transaction() as session:
        assert service.measure(session, MEASURED_ON) == 2
        found = queries.measured(session, make.ITEM)
        assert found is not None
        assert found.overall == Measured(10, 5, 9)
        assert found.halls == {CITY_HALL: Measured(10, 5, 9)}
        assert found.since == MEASURED_ON - timedelta(days=180)
    with clock.at(make.at("2026-06-30")):
        answer = client.get(f"/api/v1/catalogue/items/{make.ITEM}").get_json()
    assert ItemOut().validate(answer) == {}
    assert (answer["legal_limit"]["value"], answer["promised_limit"]["value"]) == (30, 16)
    assert answer["measured_duration"] | {"text": ""} == {
        "unit": "WORKDAY", "window_days": 180, "enough": True, "p50": 5, "p90": 9, "cases": 10, "text": "",
        "halls": [{"hall_id": str(CITY_HALL), "name": "宁波市行政服务中心", "p50": 5, "p90": 9, "cases": 10}],
    }  # fmt: skip


def test_the_time_that_stood_still_is_not_counted(decide: Callable[..., None]) -> None:
    decide("2026-05-08", "2026-06-09", stood_still=("2026-05-15", "2026-05-29"))
    with transaction() as session:
        service.measure(session, MEASURED_ON, DurationPolicy(min_cases=1))
        assert [(row.p50, row.p90) for row in session.scalars(select(ItemDuration))] == [(13, 13)] * 2


def test_too_few_cases_say_so_and_name_no_number(client: FlaskClient, decide: Callable[..., None]) -> None:
    decide("2026-05-06", "2026-05-07")
    with clock.at(make.at("2026-06-30")):
        jobs.measure()
        time.sleep(LOOK_SECONDS + 0.05)
        told = client.get(f"/api/v1/catalogue/items/{make.ITEM}").get_json()["measured_duration"]
    assert (told["enough"], told["p50"], told["p90"], told["cases"], told["halls"]) == (False, None, None, None, [])
    assert told["text"] == "近180天办结的件数太少，暂无法统计实际用时"
    with transaction() as session:
        service.measure(session, MEASURED_ON + timedelta(days=400))
        assert queries.measured(session, make.ITEM) is None


def test_cases_are_read_by_an_index(database: Any, count_queries: Any) -> None:
    with transaction() as session, count_queries() as seen:
        service.measure(session, MEASURED_ON)
    statement = next(query for query in seen if "service_case.decided_at" in query)
    with engine().connect() as connection:
        # A table of a test is too small for the planner to care; without the index it would sort all the same.
        connection.execute(text("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off"))
        values = {"decided_at_1": make.at("2026-01-01"), "decided_at_2": make.at("2026-06-01"), "param_1": 100}
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
    assert "Index Scan using ix_service_case_decided" in plan
    assert "Sort" not in plan.split("SubPlan")[0]
