"""When halls are open (AP-4): working days, make-up weekends, holidays, exceptions, days not published yet."""

from datetime import date, time, timedelta
from typing import Any

import chinese_calendar
import pytest

from casework.places.rules import (
    Cause,
    Exceptional,
    Opening,
    Periods,
    cause_text,
    check_periods,
    hall_id,
    moment_of,
    next_open,
    opening,
    read_periods,
    window_id,
    written_periods,
)
from core.errors import InvalidInput
from core.workdays import Calendar, Day

MORNING, AFTERNOON = (time(9), time(12)), (time(13, 30), time(17))
DAILY: Periods = (MORNING, AFTERNOON)
WEEK = dict.fromkeys(range(1, 6), DAILY)


@pytest.fixture(scope="module")
def days() -> Calendar:
    found = []
    day = date(2026, 1, 1)
    while day.year == 2026:
        rest, holiday = chinese_calendar.get_holiday_detail(day)
        found.append(Day(day, not rest, chinese_calendar.Holiday(holiday).chinese if holiday else ""))
        day += timedelta(days=1)
    return Calendar(found)


@pytest.mark.parametrize(
    ("day", "periods", "cause", "note"),
    [
        (date(2026, 11, 24), DAILY, None, ""),
        (date(2026, 11, 28), (), Cause.WEEKEND, ""),
        (date(2026, 10, 1), (), Cause.HOLIDAY, "国庆节"),
        (date(2026, 1, 4), DAILY, Cause.MAKE_UP_WORKDAY, "元旦"),  # a Sunday that is worked
    ],
)
def test_days(days: Calendar, day: date, periods: Periods, cause: Cause | None, note: str) -> None:
    assert opening(day, days, WEEK, None) == Opening(day, periods, cause, note, False)


def test_make_up_days_take_their_own_hours_if_there_are_any(days: Calendar) -> None:
    sunday = date(2026, 1, 4)
    assert opening(sunday, days, WEEK | {7: (MORNING,)}, None).periods == (MORNING,)
    assert opening(sunday + timedelta(days=7), days, WEEK | {7: (MORNING,)}, None).periods == ()


def test_an_exception_closes_a_working_day_and_opens_a_rest_day(days: Calendar) -> None:
    closed = opening(date(2026, 11, 24), days, WEEK, Exceptional((), "台风停办"))
    assert (closed.open, closed.cause, closed.note) == (False, Cause.EXCEPTION, "台风停办")
    extra = opening(date(2026, 11, 28), days, WEEK, Exceptional((MORNING,), "周末延时服务"))
    assert (extra.open, extra.periods) == (True, (MORNING,))


def test_a_day_without_a_published_calendar_is_provisional(days: Calendar) -> None:
    """K-10."""
    assert opening(date(2027, 1, 4), days, WEEK, None) == Opening(date(2027, 1, 4), DAILY, None, "", True)
    assert opening(date(2027, 1, 3), days, WEEK, None).cause == Cause.WEEKEND


def test_a_weekday_without_hours_says_so(days: Calendar) -> None:
    assert opening(date(2026, 11, 24), days, {1: DAILY}, None).cause == Cause.NO_HOURS


def test_the_next_open_day_jumps_the_holiday_and_closures(days: Calendar) -> None:
    found = next_open(date(2026, 9, 30), days, WEEK, {date(2026, 10, 8): Exceptional((), "系统升级")})
    assert found is not None
    assert found.day == date(2026, 10, 9)
    assert next_open(date(2026, 9, 30), days, {}, {}) is None


@pytest.mark.parametrize("periods", [[(time(12), time(9))], [(time(9), time(9))], [MORNING, (time(11), time(14))]])
def test_periods_that_cannot_be(periods: list[tuple[time, time]]) -> None:
    with pytest.raises(InvalidInput):
        check_periods(periods)


def test_hours_end_at_24_o_clock() -> None:
    """The end of the day is no time of the clock: it is kept and answered as 24:00."""
    allday = read_periods([["00:00", "24:00"]])
    assert check_periods(allday) == allday
    assert written_periods(allday) == [["00:00", "24:00"]]
    assert written_periods(read_periods([["08:30", "23:59"]])) == [["08:30", "23:59"]]
    day = date(2026, 12, 31)
    assert moment_of(day, allday[0][1]) == moment_of(date(2027, 1, 1), time(0))
    with pytest.raises(InvalidInput):
        check_periods([(time(20), allday[0][1]), (time(22), time(23))])
    for written in ("24:01", "25:00", "24"):
        with pytest.raises(ValueError, match=r"."):
            read_periods([["00:00", written]])


def test_periods_are_put_in_order_and_may_touch() -> None:
    assert check_periods([AFTERNOON, MORNING]) == DAILY
    assert check_periods([(time(9), time(12)), (time(12), time(13))])
    assert check_periods([]) == ()


def test_keys_come_from_codes() -> None:
    assert str(hall_id("NB-CITY")) == "b667a1a2-7766-50e2-8e1c-ad3e53a612be"
    assert window_id("NB-CITY", "Z4-01") != window_id("NB-330203", "Z4-01")


@pytest.mark.parametrize(
    ("opened", "zh", "en"),
    [
        ({"cause": None, "note": ""}, "", ""),
        ({"cause": Cause.WEEKEND, "note": ""}, "周末", "Weekend"),
        ({"cause": Cause.HOLIDAY, "note": "国庆节"}, "法定节假日：国庆节", "Public holiday: 国庆节"),
    ],
)
def test_causes_in_words(opened: dict[str, Any], zh: str, en: str) -> None:
    found = Opening(day=date(2026, 10, 1), periods=(), provisional=False, **opened)
    assert cause_text(found, "zh") == zh
    assert cause_text(found, "en") == en
