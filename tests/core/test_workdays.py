"""The legal clock: the vectors T1–T16 of DOMAIN 2.5 and the properties behind K-1…K-10."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import SHANGHAI
from core.workdays import (
    Calendar,
    CalendarStatus,
    Colour,
    Day,
    Limit,
    Pause,
    Segment,
    SegmentKind,
    Unit,
    acceptance_day,
    add_workdays,
    clock_colour,
    due_date,
    elapsed_workdays,
    is_workday,
    workdays_between,
)

D = date
PUBLISHED = (2017, 2018, 2025, 2026)


def days_of(year: int) -> list[Day]:
    found = []
    day = date(year, 1, 1)
    while day.year == year:
        rest, name = chinese_calendar.get_holiday_detail(day)
        found.append(Day(day, not rest, name or ""))
        day += timedelta(days=1)
    return found


@cache
def calendar() -> Calendar:
    return Calendar(day for year in PUBLISHED for day in days_of(year))


VECTORS = [
    # name, accepted, limit, pause or None, due
    ("T1", D(2026, 9, 24), Limit(5), None, D(2026, 10, 9)),
    ("T2", D(2026, 9, 24), Limit(10), None, D(2026, 10, 15)),
    ("T3", D(2026, 9, 29), Limit(3), None, D(2026, 10, 9)),
    ("T4", D(2026, 10, 9), Limit(1), None, D(2026, 10, 10)),
    ("T5", D(2026, 10, 9), Limit(2), None, D(2026, 10, 12)),
    ("T6", D(2026, 2, 13), Limit(1), None, D(2026, 2, 14)),
    ("T7", D(2026, 2, 13), Limit(5), None, D(2026, 2, 27)),
    ("T8", D(2026, 9, 20), Limit(5), None, D(2026, 9, 28)),
    ("T9", D(2026, 9, 1), Limit(20), None, D(2026, 9, 29)),
    ("T10", D(2026, 9, 1), Limit(30, Unit.NATURAL_DAY), None, D(2026, 10, 8)),
    ("T11", D(2026, 4, 5), Limit(30, Unit.NATURAL_DAY), None, D(2026, 5, 6)),
    ("T12", D(2026, 9, 1), Limit(10), (D(2026, 9, 7), D(2026, 9, 21)), D(2026, 9, 30)),
    ("T12 without the pause", D(2026, 9, 1), Limit(10), None, D(2026, 9, 15)),
    ("T13", D(2026, 9, 28), Limit(7), (D(2026, 9, 30), D(2026, 10, 10)), D(2026, 10, 16)),
    ("T15", D(2017, 9, 29), Limit(3), None, D(2017, 10, 10)),
    ("T16", D(2017, 1, 26), Limit(5), None, D(2017, 2, 8)),
]


@pytest.mark.parametrize(("accepted", "limit", "pause", "due"), [v[1:] for v in VECTORS], ids=[v[0] for v in VECTORS])
def test_vectors(accepted: date, limit: Limit, pause: tuple[date, date] | None, due: date) -> None:
    pauses = [Pause(*pause, reason="检验检测")] if pause else []
    found = due_date(accepted, limit, pauses, calendar())
    assert (found.day, found.status) == (due, CalendarStatus.FIRM)


def test_t14_beyond_the_published_calendar_is_provisional() -> None:
    """K-10: 2027 is not published, so the date is a guess that says so."""
    found = due_date(D(2026, 12, 24), Limit(10), [], calendar())
    assert found.status is CalendarStatus.PROVISIONAL
    assert found.day == D(2027, 1, 7)
    assert found.explanation[-1] == Segment(D(2027, 1, 1), D(2027, 1, 7), SegmentKind.UNPUBLISHED)


def test_k9_publishing_the_year_makes_the_date_firm_and_moves_it() -> None:
    published = Calendar(
        [
            *days_of(2026),
            *(Day(D(2027, 1, d), d > 3 and D(2027, 1, d).weekday() < 5, "元旦" * (d < 4)) for d in range(1, 32)),
        ]
    )
    found = due_date(D(2026, 12, 24), Limit(10), [], published)
    assert (found.day, found.status) == (D(2027, 1, 8), CalendarStatus.FIRM)


def test_k10_only_the_days_that_decide_make_a_date_provisional() -> None:
    assert due_date(D(2026, 12, 1), Limit(31, Unit.NATURAL_DAY), [], calendar()).status is CalendarStatus.PROVISIONAL
    assert due_date(D(2026, 12, 1), Limit(30, Unit.NATURAL_DAY), [], calendar()).status is CalendarStatus.FIRM
    # A pause that ends next year leaves days to count there; one in the past doesn't.
    assert due_date(D(2026, 11, 2), Limit(5), [Pause(D(2026, 11, 4), D(2027, 1, 5), "")], calendar()).status is (
        CalendarStatus.PROVISIONAL
    )


def test_a_year_with_a_hole_is_not_published() -> None:
    whole = days_of(2026)
    assert Calendar(whole).published_years == {2026}
    holed = Calendar(day for day in whole if day.day != D(2026, 6, 3))
    assert holed.published_years == set()
    assert due_date(D(2026, 6, 1), Limit(5), [], holed).status is CalendarStatus.PROVISIONAL
    assert due_date(D(2026, 6, 3), Limit(5), [], holed).status is CalendarStatus.FIRM


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (D(2026, 9, 20), True),  # Sunday, make-up day
        (D(2026, 9, 19), False),  # Saturday
        (D(2026, 9, 25), False),  # Friday, Mid-Autumn
        (D(2026, 9, 24), True),
        (D(2027, 1, 4), True),  # unpublished Monday
        (D(2027, 1, 3), False),  # unpublished Sunday
    ],
)
def test_k1_working_days(day: date, works: bool) -> None:
    assert is_workday(day, calendar()) is works


@pytest.mark.parametrize(
    ("local", "online", "day"),
    [
        ("2026-09-24T16:59:59", True, D(2026, 9, 24)),
        ("2026-09-24T17:00:00", True, D(2026, 9, 24)),
        ("2026-09-24T17:00:00.000001", True, D(2026, 9, 28)),
        ("2026-09-24T23:59:59", True, D(2026, 9, 28)),
        ("2026-09-25T00:00:00", True, D(2026, 9, 28)),
        ("2026-09-20T09:00:00", True, D(2026, 9, 20)),  # make-up Sunday
        ("2026-10-03T09:00:00", True, D(2026, 10, 8)),
        ("2026-10-03T20:00:00", True, D(2026, 10, 8)),  # the next working day, whatever the hour
        ("2026-10-03T09:00:00", False, D(2026, 10, 3)),  # a window that is open on a holiday
        ("2026-09-24T18:00:00", False, D(2026, 9, 24)),
    ],
)
def test_k2_acceptance_day(local: str, online: bool, day: date) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).astimezone(UTC)
    assert acceptance_day(moment, calendar(), online=online) == day


def test_k2_cutoff_is_configuration_and_naive_moments_are_refused() -> None:
    late = datetime(2026, 9, 23, 16, 45, tzinfo=SHANGHAI)
    assert acceptance_day(late, calendar(), online=True, cutoff=time(16, 30)) == D(2026, 9, 24)
    with pytest.raises(ValueError, match="time zone"):
        acceptance_day(late.replace(tzinfo=None), calendar(), online=True)


def test_k3_the_due_moment_is_midnight_after_the_due_day() -> None:
    moment = due_date(D(2026, 9, 1), Limit(10), [], calendar()).moment
    assert moment == datetime(2026, 9, 15, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("accepted", "limit", "due"),
    [
        (D(2026, 1, 31), Limit(1, Unit.MONTH), D(2026, 2, 28)),  # the last day of the month, a make-up Saturday
        (D(2025, 11, 30), Limit(3, Unit.MONTH), D(2026, 2, 28)),
        (D(2026, 3, 3), Limit(6, Unit.MONTH), D(2026, 9, 3)),
        (D(2026, 4, 1), Limit(6, Unit.MONTH), D(2026, 10, 8)),  # 1 October is a holiday
        (D(2025, 6, 30), Limit(1, Unit.YEAR), D(2026, 6, 30)),
        (D(2017, 12, 5), Limit(1, Unit.MONTH), D(2018, 1, 5)),
    ],
)
def test_k8_months_and_years(accepted: date, limit: Limit, due: date) -> None:
    assert due_date(accepted, limit, [], calendar()).day == due


def test_k8_a_leap_day_ends_on_the_last_of_february() -> None:
    found = due_date(D(2024, 2, 29), Limit(1, Unit.YEAR), [], calendar())
    assert (found.day, found.status) == (D(2025, 2, 28), CalendarStatus.FIRM)


def test_k5_several_pauses_chain() -> None:
    # Worked: 2, 3 September | 8, 9, 10 | then five more from the 22nd on.
    pauses = [Pause(D(2026, 9, 3), D(2026, 9, 7), "听证"), Pause(D(2026, 9, 10), D(2026, 9, 21), "专家评审")]
    found = due_date(D(2026, 9, 1), Limit(10), pauses, calendar())
    assert found.day == add_workdays(D(2026, 9, 21), 5, calendar()) == D(2026, 9, 29)
    assert [s for s in found.explanation if s.kind is SegmentKind.PAUSE] == [
        Segment(D(2026, 9, 4), D(2026, 9, 7), SegmentKind.PAUSE, "听证"),
        Segment(D(2026, 9, 11), D(2026, 9, 21), SegmentKind.PAUSE, "专家评审"),
    ]
    assert elapsed_workdays(D(2026, 9, 1), D(2026, 9, 21), pauses, calendar()) == 5
    assert elapsed_workdays(D(2026, 9, 1), found.day, pauses, calendar()) == 10


def test_k5_a_pause_on_the_due_day_leaves_the_day_of_resumption() -> None:
    pause = Pause(D(2026, 9, 15), D(2026, 9, 26), "检验检测")  # resumed on a Saturday of the holiday
    assert due_date(D(2026, 9, 1), Limit(10), [pause], calendar()).day == D(2026, 9, 28)


def test_k5_a_pause_after_the_due_day_saves_nothing() -> None:
    late = Pause(D(2026, 9, 16), D(2026, 9, 30), "检验检测")
    assert due_date(D(2026, 9, 1), Limit(10), [late], calendar()) == due_date(D(2026, 9, 1), Limit(10), [], calendar())
    natural = Limit(10, Unit.NATURAL_DAY)
    assert due_date(D(2026, 9, 1), natural, [late], calendar()).day == D(2026, 9, 11)


def test_k5_other_units_move_by_the_length_of_the_pause() -> None:
    pause = Pause(D(2026, 9, 7), D(2026, 9, 10), "检验检测")
    assert due_date(D(2026, 9, 1), Limit(20, Unit.NATURAL_DAY), [pause], calendar()).day == D(2026, 9, 24)
    assert due_date(D(2026, 6, 8), Limit(3, Unit.MONTH), [pause], calendar()).day == D(2026, 9, 11)


@pytest.mark.parametrize(
    "pauses",
    [
        [Pause(D(2026, 8, 31), D(2026, 9, 2), "")],
        [Pause(D(2026, 9, 4), D(2026, 9, 3), "")],
        [Pause(D(2026, 9, 2), D(2026, 9, 8), ""), Pause(D(2026, 9, 7), D(2026, 9, 9), "")],
        [Pause(D(2026, 9, 2), None, "")],
    ],
    ids=["before acceptance", "backwards", "overlapping", "open"],
)
def test_pauses_that_make_no_sense_are_refused(pauses: list[Pause]) -> None:
    for unit in Unit:
        with pytest.raises(ValueError, match=r"pause|suspended"):
            due_date(D(2026, 9, 1), Limit(10, unit), pauses, calendar())


def test_an_open_pause_stops_the_elapsed_days() -> None:
    pauses = [Pause(D(2026, 9, 7), None, "检验检测")]
    assert elapsed_workdays(D(2026, 9, 1), D(2026, 9, 21), pauses, calendar()) == 4


def test_at_once_means_the_same_day_or_the_next_working_day() -> None:
    assert due_date(D(2026, 9, 1), Limit(0), [], calendar()).day == D(2026, 9, 1)
    assert due_date(D(2026, 10, 3), Limit(0), [], calendar()).day == D(2026, 10, 8)
    with pytest.raises(ValueError, match="negative"):
        Limit(-1)
    with pytest.raises(ValueError, match="backwards"):
        add_workdays(D(2026, 9, 1), -1, calendar())


def test_the_explanation_names_what_was_skipped() -> None:
    found = due_date(D(2026, 9, 18), Limit(10), [], calendar())
    assert found.day == D(2026, 10, 9)
    assert found.workdays == 10
    assert found.explanation == (
        Segment(D(2026, 9, 19), D(2026, 9, 19), SegmentKind.WEEKEND),
        Segment(D(2026, 9, 20), D(2026, 9, 20), SegmentKind.MAKE_UP_WORKDAY, "National Day"),
        Segment(D(2026, 9, 25), D(2026, 9, 27), SegmentKind.HOLIDAY, "Mid-autumn Festival"),
        Segment(D(2026, 10, 1), D(2026, 10, 7), SegmentKind.HOLIDAY, "National Day"),
    )
    rolled = due_date(D(2026, 9, 1), Limit(30, Unit.NATURAL_DAY), [], calendar())
    assert rolled.explanation == (Segment(D(2026, 10, 1), D(2026, 10, 7), SegmentKind.HOLIDAY, "National Day"),)
    assert rolled.workdays == workdays_between(D(2026, 9, 1), D(2026, 10, 8), calendar()) == 22


@pytest.mark.parametrize(
    ("today", "colour"),
    [
        (D(2026, 9, 10), Colour.GREEN),  # three working days left of ten
        (D(2026, 9, 11), Colour.AMBER),  # two left: 20%
        (D(2026, 9, 15), Colour.AMBER),  # the due day itself
        (D(2026, 9, 16), Colour.RED),
        (D(2026, 9, 29), Colour.RED),  # the legal due day
        (D(2026, 9, 30), Colour.BLACK),
    ],
)
def test_k6_colours(today: date, colour: Colour) -> None:
    promised = due_date(D(2026, 9, 1), Limit(10), [], calendar())
    legal = due_date(D(2026, 9, 1), Limit(20), [], calendar())
    found = clock_colour(
        today, promised=promised.day, legal=legal.day, promise_workdays=promised.workdays, calendar=calendar()
    )
    assert found is colour


def test_k6_a_short_promise_turns_amber_one_working_day_before() -> None:
    promised = due_date(D(2026, 9, 24), Limit(3), [], calendar())  # 30 September, Mid-Autumn between
    shades = [
        clock_colour(day, promised=promised.day, legal=None, promise_workdays=3, calendar=calendar())
        for day in (D(2026, 9, 24), D(2026, 9, 28), D(2026, 9, 29), D(2026, 10, 1))
    ]
    assert shades == [Colour.GREEN, Colour.GREEN, Colour.AMBER, Colour.RED]


def test_k6_thresholds_are_configuration() -> None:
    colour = clock_colour(
        D(2026, 9, 10),
        promised=D(2026, 9, 15),
        legal=None,
        promise_workdays=10,
        calendar=calendar(),
        amber_workdays=3,
        amber_percent=0,
    )
    assert colour is Colour.AMBER


days = st.dates(D(2025, 1, 1), D(2026, 6, 30))
counts = st.integers(0, 90)


@given(days, st.integers(1, 90))
def test_adding_and_counting_agree(start: date, n: int) -> None:
    end = add_workdays(start, n, calendar())
    assert workdays_between(start, end, calendar()) == n
    assert workdays_between(end, start, calendar()) == -n
    assert due_date(start, Limit(n), [], calendar()).day == end


@given(days, counts, counts)
def test_adding_is_monotone_and_additive(start: date, n: int, m: int) -> None:
    first = add_workdays(start, n, calendar())
    assert start <= first <= add_workdays(start, n + 1, calendar())
    if n:
        assert add_workdays(first, m, calendar()) == add_workdays(start, n + m, calendar())


@given(days, st.integers(0, 60), st.sampled_from(Unit))
def test_no_due_day_is_a_rest_day(accepted: date, value: int, unit: Unit) -> None:
    value = value % 6 if unit is Unit.MONTH else value % 1 if unit is Unit.YEAR else value
    found = due_date(accepted, Limit(value, unit), [], calendar())
    assert is_workday(found.day, calendar())
    assert found.day >= accepted


@given(days, st.integers(1, 30), st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=4))
def test_k5_working_days_outside_pauses_make_up_the_limit(
    accepted: date, value: int, gaps: list[tuple[int, int]]
) -> None:
    pauses = []
    cursor = accepted
    for before, length in gaps:
        start = cursor + timedelta(days=before)
        cursor = start + timedelta(days=length)
        pauses.append(Pause(start, cursor, "检验检测"))
    found = due_date(accepted, Limit(value), pauses, calendar())
    assert found.day >= add_workdays(accepted, value, calendar())
    relevant = [pause for pause in pauses if pause.start <= found.day]
    worked = elapsed_workdays(accepted, found.day, relevant, calendar())
    # A pause on the very day the limit ran out leaves the first working day from the resumption on.
    assert worked in {value, value + 1}
    if worked == value + 1:
        assert add_workdays(relevant[-1].end or found.day, 0, calendar()) == found.day


@given(days, st.integers(0, 60), st.sampled_from([Unit.WORKDAY, Unit.NATURAL_DAY]))
def test_explanations_are_ordered_and_inside_the_reckoning(accepted: date, value: int, unit: Unit) -> None:
    found = due_date(accepted, Limit(value, unit), [], calendar())
    ends = [accepted - timedelta(days=1)]
    for segment in found.explanation:
        assert ends[-1] < segment.start <= segment.end <= found.day
        ends.append(segment.end)
