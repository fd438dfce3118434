"""Rules of the pre-review (DOMAIN 3.1)."""

from datetime import date, datetime, timedelta
from itertools import product

import pytest

from casework.prereview import rules
from casework.prereview.errors import VerdictMissing
from casework.prereview.rules import Change, Listed, Provision, Reason, State, Verdict
from core.clock import SHANGHAI
from core.errors import InvalidInput, StateConflict
from core.workdays import Calendar, CalendarStatus, Day

# The table of 3.1, written out once more, from the document.
ALLOWED = {
    ("DRAFT", "SUBMITTED"), ("DRAFT", "DISCARDED"),
    ("SUBMITTED", "IN_REVIEW"), ("SUBMITTED", "WITHDRAWN"), ("SUBMITTED", "EXPIRED"),
    ("IN_REVIEW", "NEEDS_CHANGE"), ("IN_REVIEW", "PASSED"), ("IN_REVIEW", "REJECTED"), ("IN_REVIEW", "SUBMITTED"),
    ("NEEDS_CHANGE", "SUBMITTED"), ("NEEDS_CHANGE", "WITHDRAWN"), ("NEEDS_CHANGE", "EXPIRED"),
    ("PASSED", "USED"), ("PASSED", "EXPIRED"),
}  # fmt: skip


def year_2026() -> Calendar:
    """2026 with 国庆 1–7 October off and 10 October (a Saturday) worked, as T1 to T5 need."""
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    off = {date(2026, 9, 25), *(date(2026, 10, n) for n in range(1, 8))}
    return Calendar(
        Day(day, day == date(2026, 10, 10) or (day.weekday() < 5 and day not in off), "国庆节" if day in off else "")
        for day in days
    )


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(("state", "to"), list(product(State, State)))
def test_only_the_moves_of_the_table(state: State, to: State) -> None:
    if (state.value, to.value) in ALLOWED:
        rules.check_move(state, to)
    else:
        with pytest.raises(StateConflict):
            rules.check_move(state, to)


@pytest.mark.parametrize("state", State)
def test_every_text_says_pre_review_and_not_acceptance(state: State) -> None:
    """PR-14."""
    assert "预审" in rules.text(state, "zh")
    assert "非正式受理" in rules.text(state, "zh")
    assert "已受理" not in rules.text(state, "zh")
    assert "re-review" in rules.text(state, "en")
    assert "formal acceptance" in rules.text(state, "en")


def test_passed_offers_booking_only_where_the_item_can_be_booked() -> None:
    """PR-10."""
    assert [step.action for step in rules.next_steps(State.PASSED, bookable=True)] == ["BOOK", "VISIT"]
    assert [step.action for step in rules.next_steps(State.PASSED, bookable=False)] == ["VISIT"]
    assert rules.next_steps(State.USED, bookable=True) == ()


def test_needed_materials_must_be_provided_unless_a_licence_replaces_them() -> None:
    """PR-1."""
    needed, waivable, optional = (
        Listed(1, "申请书", True, False),
        Listed(2, "身份证", True, True),
        Listed(3, "证明", False, False),
    )
    assert rules.missing([(needed, None), (waivable, None), (optional, None)]) == [needed]
    assert rules.missing([(needed, Provision.ON_SITE), (waivable, None)]) == []
    assert rules.missing([(needed, Provision.UPLOAD)]) == []


def test_a_new_version_is_told_by_name() -> None:
    """PR-2: numbers may be given anew, names are what people know."""
    old = [Listed(1, "申请书", True, False), Listed(2, "身份证", True, True), Listed(3, "照片", True, False)]
    new = [Listed(1, "身份证", True, False), Listed(2, "申请书", True, False), Listed(3, "户口簿", True, False)]
    changes = rules.differences(old, new)
    assert changes == [Change("ADDED", 3, "户口簿"), Change("CHANGED", 1, "身份证"), Change("REMOVED", 3, "照片")]
    assert rules.adds_material(changes, new)


def test_a_version_that_only_asks_for_less_does_not_end_a_passed_one() -> None:
    """PR-9."""
    old = [Listed(1, "申请书", True, False), Listed(2, "照片", True, False)]
    new = [Listed(1, "申请书", True, True), Listed(4, "电子证照", True, True), Listed(5, "说明", False, False)]
    assert not rules.adds_material(rules.differences(old, new), new)
    assert rules.differences(old, old) == []


def test_the_overall_verdict_is_computed() -> None:
    """PR-4, PR-5."""
    assert rules.overall({1: Verdict.QUALIFIED, 2: Verdict.TOLERATED, 3: Verdict.WAIVED}) is State.PASSED
    assert rules.overall({1: Verdict.QUALIFIED, 2: Verdict.DEFECTIVE}) is State.NEEDS_CHANGE
    with pytest.raises(VerdictMissing) as refused:
        rules.overall({1: Verdict.DEFECTIVE, 2: None, 4: None})
    assert refused.value.extra == {"materials": [2, 4]}


@pytest.mark.parametrize(
    ("verdict", "reason", "comment", "waivable", "tolerable", "field"),
    [
        (Verdict.DEFECTIVE, None, "", True, True, "reason_code"),
        (Verdict.QUALIFIED, Reason.BLURRED, "", True, True, "reason_code"),
        (Verdict.DEFECTIVE, Reason.OTHER, "", True, True, "comment"),
        (Verdict.DEFECTIVE, Reason.NOT_OUR_BODY, "", True, True, "comment"),
        (Verdict.WAIVED, None, "", False, True, "verdict"),
        (Verdict.TOLERATED, None, "", True, False, "verdict"),
        (Verdict.DEFECTIVE, Reason.BLURRED, "", False, False, ""),
        (Verdict.DEFECTIVE, Reason.OTHER, "第二页倒置", False, False, ""),
        (Verdict.WAIVED, None, "", True, False, ""),
        (Verdict.TOLERATED, None, "", False, True, ""),
        (Verdict.QUALIFIED, None, "", False, False, ""),
    ],
)
def test_a_verdict_fits_its_material(
    verdict: Verdict, reason: Reason | None, comment: str, waivable: bool, tolerable: bool, field: str
) -> None:
    """PR-4, PR-6."""
    if not field:
        rules.check_verdict(verdict, reason, comment, waivable=waivable, tolerable=tolerable)
        return
    with pytest.raises(InvalidInput) as refused:
        rules.check_verdict(verdict, reason, comment, waivable=waivable, tolerable=tolerable)
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    ("verdict", "reason", "changed", "before", "new"),
    [
        (Verdict.DEFECTIVE, Reason.BLURRED, False, None, False),
        (Verdict.DEFECTIVE, Reason.BLURRED, True, (Verdict.QUALIFIED, None), False),
        (Verdict.DEFECTIVE, Reason.BLURRED, False, (Verdict.QUALIFIED, None), True),
        (Verdict.DEFECTIVE, Reason.BLURRED, False, (Verdict.DEFECTIVE, Reason.BLURRED), False),
        (Verdict.DEFECTIVE, Reason.SEAL_MISSING, False, (Verdict.DEFECTIVE, Reason.BLURRED), True),
        (Verdict.QUALIFIED, None, False, (Verdict.DEFECTIVE, Reason.BLURRED), False),
    ],
)
def test_a_late_defect_is_recognised(
    verdict: Verdict, reason: Reason | None, changed: bool, before: tuple[Verdict, Reason | None] | None, new: bool
) -> None:
    """PR-5: what passed or was told otherwise in the first round may not turn up later on an unchanged paper."""
    assert rules.is_new_defect(verdict, reason, changed=changed, before=before) is new


def test_verdicts_are_told_all_at_once() -> None:
    """PR-5."""
    assert not rules.is_told(State.IN_REVIEW, 1, 1)
    assert rules.is_told(State.IN_REVIEW, 2, 1)
    assert rules.is_told(State.NEEDS_CHANGE, 1, 1)
    assert not rules.is_told(State.NEEDS_CHANGE, 1, None)


@pytest.mark.parametrize(
    ("submitted", "due"),
    [
        (at(11, 24, 10), date(2026, 11, 25)),
        (at(11, 24, 17), date(2026, 11, 25)),
        (at(11, 24, 17, 1), date(2026, 11, 26)),
        (at(11, 27, 9), date(2026, 11, 30)),
        (at(11, 28, 9), date(2026, 12, 1)),
        (at(9, 30, 23, 59), date(2026, 10, 9)),
        (at(10, 9, 9), date(2026, 10, 10)),
    ],
)
def test_the_first_answer_is_due_after_one_working_day(submitted: datetime, due: date) -> None:
    """PR-8, K-2: the make-up Saturday 10-10 is a working day, the days of 国庆 are not."""
    found = rules.answer_due(submitted, year_2026())
    assert found.day == due
    assert found.moment == datetime(due.year, due.month, due.day, tzinfo=SHANGHAI) + timedelta(days=1)
    assert found.status is CalendarStatus.FIRM


def test_an_answer_due_in_an_unpublished_year_is_provisional() -> None:
    """K-10."""
    assert rules.answer_due(at(12, 31, 10), year_2026()).status is CalendarStatus.PROVISIONAL


def test_needs_change_may_be_answered_for_fifteen_working_days() -> None:
    """PR-9."""
    assert rules.change_due(date(2026, 9, 1), year_2026()).day == date(2026, 9, 22)


def test_passed_is_good_for_thirty_days_or_as_long_as_its_shortest_paper() -> None:
    """PR-9, K-4: a last day on a rest day moves on."""
    days = year_2026()
    assert rules.good_until(date(2026, 11, 2), [], days) == (at(12, 3, 0), False)
    assert rules.good_until(date(2026, 9, 1), [], days) == (at(10, 9, 0), False)
    assert rules.good_until(date(2026, 11, 2), [date(2027, 5, 1)], days) == (at(12, 3, 0), False)
    assert rules.good_until(date(2026, 11, 2), [date(2026, 11, 20), date(2026, 11, 10)], days) == (at(11, 11, 0), False)
    assert rules.good_until(date(2026, 12, 5), [], days)[1] is True
    assert rules.good_until(date(2026, 12, 5), [date(2026, 12, 9)], days) == (at(12, 10, 0), False)


def test_every_reason_has_its_words() -> None:
    """PR-6."""
    assert [rules.REASON_TEXTS[reason][0] for reason in Reason] == [
        "缺页", "模糊", "过期", "名称不一致", "缺签名", "缺盖章", "格式不符", "情形选错", "不属本机关", "其他",
    ]  # fmt: skip
    assert set(rules.VERDICT_TEXTS) == set(Verdict)
