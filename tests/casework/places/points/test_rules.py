"""Distances, coordinates, and whether a point is open."""

from datetime import date, datetime, time
from random import Random

import pytest

from casework.places.points import rules
from casework.places.points.rules import Datum, Hours, Position
from casework.places.rules import Cause, Exceptional, read_periods
from core import clock
from core.workdays import Calendar, Day

OFFICE = Hours(dict.fromkeys(range(1, 6), ((time(8, 30), time(11, 30)),)), rest_days=False)
MACHINE = Hours(dict.fromkeys(range(1, 8), ((time(0), time(23, 59)),)), rest_days=True)
HOLIDAY = Calendar([Day(date(2026, 10, 1), is_workday=False, name="国庆节")])


def test_a_degree_of_latitude_and_the_way_from_ningbo_to_hangzhou() -> None:
    assert rules.metres(Position(29, 121), Position(30, 121)) == pytest.approx(111_195, abs=1)
    assert rules.metres(Position(29.8683, 121.5440), Position(30.2741, 120.1551)) == pytest.approx(141_300, rel=0.01)
    assert rules.metres(Position(0, 0), Position(0, 180)) == pytest.approx(rules.EARTH_METRES * 3.14159265, rel=1e-6)


def test_the_flat_map_is_right_within_its_bounds() -> None:
    chance = Random(7)  # noqa: S311
    for _ in range(3_000):
        a, b = (Position(chance.uniform(28, 32), chance.uniform(118, 125)) for _ in range(2))
        (x, y), (u, v) = rules.on_map(a), rules.on_map(b)
        flat = ((x - u) ** 2 + (y - v) ** 2) ** 0.5
        assert rules.LEAST * flat <= rules.metres(a, b) <= rules.MOST * flat


def test_wgs84_becomes_gcj02() -> None:
    """Against the published pair of many converters: Tian'anmen and 杭州 differ by 400 to 600 m; here a Ningbo pair."""
    there = rules.gcj02(29.8683, 121.5440, Datum.WGS84)
    assert there.latitude == pytest.approx(29.8683 - 0.00247, abs=0.0006)
    assert there.longitude == pytest.approx(121.5440 + 0.00435, abs=0.0006)
    assert 300 < rules.metres(there, Position(29.8683, 121.5440)) < 700
    assert rules.gcj02(29.8683, 121.5440, Datum.GCJ02) == (29.8683, 121.5440)
    assert rules.gcj02(52.5, 13.4, Datum.WGS84) == (52.5, 13.4)


def test_a_machine_that_never_closes_is_open_in_the_last_minute_too() -> None:
    day = date(2026, 11, 24)
    always = Hours({weekday: read_periods([["00:00", "24:00"]]) for weekday in range(1, 8)}, rest_days=True)
    found = rules.opening(day, HOLIDAY, always, None)
    for moment in (time(0), time(12), time(23, 59), time(23, 59, 59), time.max):
        assert rules.open_at(found, datetime.combine(day, moment, clock.SHANGHAI))


def test_a_machine_works_on_a_holiday_and_a_counter_does_not() -> None:
    day = date(2026, 10, 1)
    assert rules.opening(day, HOLIDAY, OFFICE, None).cause is Cause.HOLIDAY
    machine = rules.opening(day, HOLIDAY, MACHINE, None)
    assert rules.open_at(machine, datetime(2026, 10, 1, 3, tzinfo=clock.SHANGHAI))
    broken = rules.opening(day, HOLIDAY, MACHINE, Exceptional((), "检修", "Repair"))
    assert (broken.open, broken.note_en) == (False, "Repair")


@pytest.mark.parametrize(
    ("hour", "minute", "is_open"), [(8, 29, False), (8, 30, True), (11, 29, True), (11, 30, False), (23, 0, False)]
)
def test_open_now_ends_when_the_hours_do(hour: int, minute: int, is_open: bool) -> None:
    moment = datetime(2026, 11, 24, hour, minute, tzinfo=clock.SHANGHAI)
    found = rules.opening(moment.date(), Calendar([]), OFFICE, None)
    assert rules.open_at(found, moment) is is_open
