"""The state table of DOMAIN 2.4 and the two clocks of 2.5."""

from datetime import date
from itertools import product

import chinese_calendar
import pytest

from casework.cases import rules
from casework.cases.errors import ReasonMissing
from casework.cases.rules import State
from core.errors import StateConflict
from core.workdays import Calendar, CalendarStatus, Colour, Day, Limit, Pause, Unit

S = State
ALLOWED = {
    (S.DRAFT, S.SUBMITTED), (S.DRAFT, S.DISCARDED), (S.SUBMITTED, S.RECEIVED), (S.RECEIVED, S.CORRECTING),
    (S.RECEIVED, S.ACCEPTED), (S.RECEIVED, S.NOT_ACCEPTED), (S.CORRECTING, S.RECEIVED),
    (S.CORRECTING, S.CLOSED_NO_CORRECTION), (S.ACCEPTED, S.UNDER_REVIEW), (S.UNDER_REVIEW, S.SUSPENDED),
    (S.UNDER_REVIEW, S.DECIDED_GRANT), (S.UNDER_REVIEW, S.DECIDED_REFUSE), (S.SUSPENDED, S.UNDER_REVIEW),
    (S.DECIDED_GRANT, S.CONCLUDED), (S.DECIDED_REFUSE, S.CONCLUDED), (S.CONCLUDED, S.ISSUING), (S.ISSUING, S.DELIVERED),
    # "any before decision" → WITHDRAWN
    (S.SUBMITTED, S.WITHDRAWN), (S.RECEIVED, S.WITHDRAWN), (S.CORRECTING, S.WITHDRAWN), (S.ACCEPTED, S.WITHDRAWN),
    (S.UNDER_REVIEW, S.WITHDRAWN), (S.SUSPENDED, S.WITHDRAWN),
}  # fmt: skip


@pytest.fixture(scope="module")
def days() -> Calendar:
    found = []
    for year in (2025, 2026):
        day = date(year, 1, 1)
        while day.year == year:
            rest, name = chinese_calendar.get_holiday_detail(day)
            found.append(Day(day, not rest, name or ""))
            day = date.fromordinal(day.toordinal() + 1)
    return Calendar(found)


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_every_pair_of_states(before: State, after: State) -> None:
    if (before, after) in ALLOWED:
        rules.check_move(before, after)
    else:
        with pytest.raises(StateConflict):
            rules.check_move(before, after)


def test_every_state_has_a_label_and_every_open_one_a_next_step() -> None:
    assert set(rules.LABELS) == set(State)
    assert set(State) - rules.FINAL - set(rules.NEXT_STEPS) == {State.DRAFT}


def test_only_acceptance_may_say_accepted() -> None:
    """Point 3 of DOMAIN: nothing before acceptance may read 已受理."""
    assert [state for state, (zh, _en) in rules.LABELS.items() if "已受理" in zh] == [State.ACCEPTED]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 9, 1), Colour.GREEN),
        (date(2026, 9, 10), Colour.GREEN),
        (date(2026, 9, 11), Colour.AMBER),
        (date(2026, 9, 15), Colour.AMBER),
        (date(2026, 9, 16), Colour.RED),
        (date(2026, 9, 29), Colour.RED),
        (date(2026, 9, 30), Colour.BLACK),
    ],
)
def test_the_colour_of_a_running_case(days: Calendar, today: date, expected: Colour) -> None:
    """K-6: ten working days promised until Tuesday 09-15, twenty by law until 09-29 (T9); 20% are two days."""
    clocks = rules.clocks(date(2026, 9, 1), Limit(10), Limit(20), [], 0, days)
    given = {"amber_on": clocks.amber_on, "promised": clocks.promised.day, "legal": clocks.legal.day}
    assert rules.colour(S.UNDER_REVIEW, today, **given) is expected
    assert rules.colour(S.SUSPENDED, today, **given) is None
    assert rules.colour(S.DECIDED_GRANT, today, **given) is None


def test_what_is_done_at_once_is_amber_on_its_day(days: Calendar) -> None:
    clocks = rules.clocks(date(2026, 9, 1), Limit(0), Limit(30), [], 0, days)
    assert clocks.promised.day == date(2026, 9, 1)
    assert clocks.amber_on <= date(2026, 9, 1)


def test_both_clocks_run_from_the_same_day(days: Calendar) -> None:
    """T2 and T9 of 2.5 as promise and law."""
    clocks = rules.clocks(date(2026, 9, 1), Limit(10), Limit(20), [], 0, days)
    assert (clocks.promised.day, clocks.legal.day) == (date(2026, 9, 15), date(2026, 9, 29))


def test_a_pause_stops_both_clocks(days: Calendar) -> None:
    """K-5, K-6; T12."""
    pause = Pause(date(2026, 9, 7), date(2026, 9, 21), "公告")
    clocks = rules.clocks(date(2026, 9, 1), Limit(10), Limit(20), [pause], 0, days)
    assert clocks.promised.day == date(2026, 9, 30)
    assert clocks.legal.day > date(2026, 9, 29)


def test_an_extension_lengthens_every_kind_of_limit(days: Calendar) -> None:
    """C-6."""
    plain = rules.clocks(date(2026, 9, 1), Limit(10), Limit(30, Unit.NATURAL_DAY), [], 0, days)
    longer = rules.clocks(date(2026, 9, 1), Limit(10), Limit(30, Unit.NATURAL_DAY), [], 5, days)
    assert longer.promised.workdays == plain.promised.workdays + 5
    # 30 natural days end on 10-08; five working days on, over the make-up Saturday 10-10, is Wednesday 10-14.
    assert (plain.legal.day, longer.legal.day) == (date(2026, 10, 8), date(2026, 10, 14))


def test_a_date_past_the_published_calendar_is_provisional(days: Calendar) -> None:
    """K-10; T14."""
    clocks = rules.clocks(date(2026, 12, 24), Limit(1), Limit(10), [], 0, days)
    assert clocks.promised.status is CalendarStatus.FIRM
    assert clocks.legal.status is CalendarStatus.PROVISIONAL


def test_the_notice_clock_is_five_working_days(days: Calendar) -> None:
    """C-5; T1."""
    assert rules.notice_due(date(2026, 9, 24), days) == date(2026, 10, 9)


@pytest.mark.parametrize(("reason", "clause"), [("", "第三条"), ("材料不实", ""), ("  ", " ")])
def test_a_refusal_needs_reason_and_clause(reason: str, clause: str) -> None:
    """C-3."""
    with pytest.raises(ReasonMissing):
        rules.check_refusal(reason, clause)
    rules.check_refusal("材料不实", "行政许可法第三十一条")
