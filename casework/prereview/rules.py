"""Rules of the pre-review (DOMAIN 3.1): states, verdicts, the one-time notice and its times. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from casework.prereview.errors import VerdictMissing
from core import clock
from core.errors import InvalidInput, StateConflict
from core.workdays import Calendar, CalendarStatus, DueDate, Limit, Unit, acceptance_day, due_date


class State(StrEnum):
    """The states of DOMAIN 3.1."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    IN_REVIEW = "IN_REVIEW"
    NEEDS_CHANGE = "NEEDS_CHANGE"
    PASSED = "PASSED"
    REJECTED = "REJECTED"
    USED = "USED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    DISCARDED = "DISCARDED"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SUBMITTED, State.DISCARDED}),
    State.SUBMITTED: frozenset({State.IN_REVIEW, State.WITHDRAWN, State.EXPIRED}),
    State.IN_REVIEW: frozenset({State.NEEDS_CHANGE, State.PASSED, State.REJECTED, State.SUBMITTED}),
    State.NEEDS_CHANGE: frozenset({State.SUBMITTED, State.WITHDRAWN, State.EXPIRED}),
    State.PASSED: frozenset({State.USED, State.EXPIRED}),
    State.REJECTED: frozenset(),
    State.USED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.EXPIRED: frozenset(),
    State.DISCARDED: frozenset(),
}

EDITABLE = frozenset({State.DRAFT, State.NEEDS_CHANGE})
"""States in which the citizen may change papers."""

HIDDEN = frozenset({State.DRAFT, State.DISCARDED})
"""States that no clerk sees."""

TEXTS: dict[State, tuple[str, str]] = {
    State.DRAFT: (
        "预审草稿，尚未提交（预审非正式受理）",
        "Draft of a pre-review, not submitted (a pre-review is not formal acceptance)",
    ),
    State.SUBMITTED: (
        "待预审，材料已提交（预审非正式受理）",
        "Waiting for pre-review (a pre-review is not formal acceptance)",
    ),
    State.IN_REVIEW: (
        "预审中，工作人员正在查看材料（预审非正式受理）",
        "In pre-review: a clerk is looking at the papers (not formal acceptance)",
    ),
    State.NEEDS_CHANGE: (
        "预审待补充，请按清单一次补齐（预审非正式受理）",
        "Pre-review: please complete everything on the list (not formal acceptance)",
    ),
    State.PASSED: (
        "预审通过，请选择下一步办理方式（预审非正式受理）",
        "Pre-review passed: please choose the next step (not formal acceptance)",
    ),
    State.REJECTED: (
        "预审意见：不属于受理范围（预审非正式受理，也不是不予受理决定）",
        "Pre-review: not within this body's remit (neither formal acceptance nor its refusal)",
    ),
    State.USED: (
        "预审已转申报或已到窗口（预审非正式受理，请查看办件进度）",
        "Pre-review turned into an application (not formal acceptance; see the case's progress)",
    ),
    State.WITHDRAWN: (
        "预审已撤回（预审非正式受理）",
        "Pre-review withdrawn (a pre-review is not formal acceptance)",
    ),
    State.EXPIRED: (
        "预审已过期，可重新提交预审（预审非正式受理）",
        "Pre-review expired; you may start a new one (not formal acceptance)",
    ),
    State.DISCARDED: ("预审草稿已删除（预审非正式受理）", "Draft of a pre-review, deleted (not formal acceptance)"),
}
"""What the citizen reads (PR-14), in Chinese and English."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something the citizen can do next: a stable `action` and a sentence in Chinese and English."""

    action: str
    zh: str
    en: str


_BOOK = Step("BOOK", "预约时间，凭预审通过优先办理", "Book a time; a passed pre-review takes the short slot")
_NEXT: dict[State, tuple[Step, ...]] = {
    State.DRAFT: (Step("SUBMIT", "填齐材料后提交预审", "Provide the materials, then submit for pre-review"),),
    State.NEEDS_CHANGE: (Step("COMPLETE", "按清单补充后重新提交预审", "Complete the list, then submit again"),),
    State.PASSED: (
        Step("VISIT", "带齐原件到窗口办理，出示预审编号", "Come to the counter with the originals and the number"),
    ),
    State.REJECTED: (Step("GO_TO_RIGHT_BODY", "请向有权受理的机关申请", "Please apply to the body that is in charge"),),
    State.EXPIRED: (Step("START_AGAIN", "如仍需办理，请重新提交预审", "Start a new pre-review if you still need it"),),
}

VERSION_CHOICES = (
    Step(
        "ADOPT",
        "采用新的办事要求：材料清单重新计算，已上传且仍适用的文件保留",
        "Take over the new requirements: the list is made anew, uploaded files that still fit stay",
    ),
    Step(
        "KEEP",
        "暂不采用：草稿保持不变，采用后才能提交",
        "Not now: the draft stays as it is and can be submitted once you take them over",
    ),
)
"""What can be done with a draft whose item has a new version (PR-2)."""


class Provision(StrEnum):
    """How the citizen provides a material: 上传, 现场提交原件, 免提交."""

    UPLOAD = "UPLOAD"
    ON_SITE = "ON_SITE"
    LICENCE = "LICENCE"


class Verdict(StrEnum):
    """合格, 不合格, 容缺, 免提交 (PR-4)."""

    QUALIFIED = "QUALIFIED"
    DEFECTIVE = "DEFECTIVE"
    TOLERATED = "TOLERATED"
    WAIVED = "WAIVED"


class Reason(StrEnum):
    """Why a material is 不合格 (PR-6 [D])."""

    PAGE_MISSING = "PAGE_MISSING"
    BLURRED = "BLURRED"
    EXPIRED = "EXPIRED"
    NAME_MISMATCH = "NAME_MISMATCH"
    SIGNATURE_MISSING = "SIGNATURE_MISSING"
    SEAL_MISSING = "SEAL_MISSING"
    FORMAT_WRONG = "FORMAT_WRONG"
    SITUATION_WRONG = "SITUATION_WRONG"
    NOT_OUR_BODY = "NOT_OUR_BODY"
    OTHER = "OTHER"


VERDICT_TEXTS: dict[Verdict, tuple[str, str]] = {
    Verdict.QUALIFIED: ("合格", "In order"),
    Verdict.DEFECTIVE: ("不合格", "Not in order"),
    Verdict.TOLERATED: ("容缺（可后补）", "May follow later"),
    Verdict.WAIVED: ("免提交", "Need not be submitted"),
}

REASON_TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.PAGE_MISSING: ("缺页", "A page is missing"),
    Reason.BLURRED: ("模糊", "Not readable"),
    Reason.EXPIRED: ("过期", "Expired"),
    Reason.NAME_MISMATCH: ("名称不一致", "The names differ"),
    Reason.SIGNATURE_MISSING: ("缺签名", "The signature is missing"),
    Reason.SEAL_MISSING: ("缺盖章", "The seal is missing"),
    Reason.FORMAT_WRONG: ("格式不符", "Not in the required format"),
    Reason.SITUATION_WRONG: ("情形选错", "The chosen situation is wrong"),
    Reason.NOT_OUR_BODY: ("不属本机关", "Not for this body"),
    Reason.OTHER: ("其他", "Other"),
}


@dataclass(frozen=True, slots=True)
class PreReviewPolicy:
    """Numbers DOMAIN marks [D]: defaults, to be keyed by hall or item when a city sets others."""

    claim: timedelta = timedelta(minutes=30)
    answer_workdays: int = 1
    change_workdays: int = 15
    good_days: int = 30
    max_files: int = 50


POLICY = PreReviewPolicy()


@dataclass(frozen=True, slots=True)
class Listed:
    """One material as the list names it. `needed`: submission must settle it (PR-1)."""

    no: int
    name: str
    needed: bool
    waivable: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two material lists: `kind` is ADDED, REMOVED or CHANGED."""

    kind: str
    no: int
    name: str


def check_move(state: State, to: State) -> None:
    """Raise `StateConflict` unless the table of 3.1 allows `state` → `to`."""
    if to not in TRANSITIONS[state]:
        raise StateConflict(extra={"state": state})


def next_steps(state: State, *, bookable: bool) -> tuple[Step, ...]:
    """What the citizen can do next (PR-10): from PASSED, to book first where the item can be booked."""
    return (_BOOK, *_NEXT[state]) if state is State.PASSED and bookable else _NEXT.get(state, ())


def is_told(state: State, round: int, verdict_round: int | None) -> bool:
    """Whether the citizen may see a verdict: those of the running round only when everything is told at once (PR-5)."""
    if verdict_round is None:
        return False
    return verdict_round < round or state not in {State.SUBMITTED, State.IN_REVIEW}


def text(state: State, language: str) -> str:
    """The sentence for `state` (PR-14)."""
    return TEXTS[state][language == "en"]


def missing(papers: Iterable[tuple[Listed, Provision | None]]) -> list[Listed]:
    """Needed materials that are neither provided nor 免提交 (PR-1)."""
    return [listed for listed, provision in papers if listed.needed and provision is None and not listed.waivable]


def differences(old: Sequence[Listed], new: Sequence[Listed]) -> list[Change]:
    """What a new item version changes in a material list (PR-2), told by name: numbers may be given anew."""
    before = {listed.name: listed for listed in old}
    after = {listed.name: listed for listed in new}
    changes = [Change("ADDED", listed.no, listed.name) for listed in new if listed.name not in before]
    for listed in old:
        now = after.get(listed.name)
        if now is None:
            changes.append(Change("REMOVED", listed.no, listed.name))
        elif (now.needed, now.waivable) != (listed.needed, listed.waivable):
            changes.append(Change("CHANGED", now.no, now.name))
    return changes


def adds_material(changes: Iterable[Change], new: Sequence[Listed]) -> bool:
    """Whether the changes ask the citizen for a material that a passed pre-review hasn't seen (PR-9)."""
    needed = {listed.name for listed in new if listed.needed and not listed.waivable}
    return any(change.kind != "REMOVED" and change.name in needed for change in changes)


def check_verdict(verdict: Verdict, reason: Reason | None, comment: str, *, waivable: bool, tolerable: bool) -> None:
    """A verdict must fit its material (PR-4, PR-6). Raises `InvalidInput` by field."""
    faults: dict[str, list[str]] = {}
    if (verdict is Verdict.DEFECTIVE) != (reason is not None):
        faults["reason_code"] = ["不合格须选原因，其他意见不选 / exactly when DEFECTIVE"]
    if reason in {Reason.OTHER, Reason.NOT_OUR_BODY} and not comment:
        faults["comment"] = ["请写明具体原因 / say what is wrong"]
    if (verdict is Verdict.WAIVED and not waivable) or (verdict is Verdict.TOLERATED and not tolerable):
        faults["verdict"] = ["此材料不适用该意见 / not for this material"]
    if faults:
        raise InvalidInput(fields=faults)


def is_new_defect(
    verdict: Verdict, reason: Reason | None, *, changed: bool, before: tuple[Verdict, Reason | None] | None
) -> bool:
    """Whether a later round's verdict raises a defect that could have been told the first time (PR-5).

    `changed`: the citizen changed the material since `before`, the verdict of the last round on it (None in the first).
    """
    return verdict is Verdict.DEFECTIVE and not changed and before is not None and before != (verdict, reason)


def overall(verdicts: Mapping[int, Verdict | None]) -> State:
    """The overall verdict, computed from those by material number (PR-4). Raises `VerdictMissing` while one lacks (PR-5)."""
    lacking = sorted(no for no, verdict in verdicts.items() if verdict is None)
    if lacking:
        raise VerdictMissing(extra={"materials": lacking})
    return State.NEEDS_CHANGE if Verdict.DEFECTIVE in verdicts.values() else State.PASSED


def answer_due(submitted: datetime, calendar: Calendar) -> DueDate:
    """When the clerk's answer is due (PR-8): what comes after 17:00 or on a rest day counts from the next working day (K-2)."""
    return due_date(acceptance_day(submitted, calendar, online=True), Limit(POLICY.answer_workdays), (), calendar)


def change_due(concluded: date, calendar: Calendar) -> DueDate:
    """Until when a NEEDS_CHANGE can be answered (PR-9): working days after the notice."""
    return due_date(concluded, Limit(POLICY.change_workdays), (), calendar)


def good_until(concluded: date, papers: Iterable[date], calendar: Calendar) -> tuple[datetime, bool]:
    """The first moment at which a PASSED no longer counts, and whether it is provisional (PR-9, K-10).

    It is the end of 30 natural days, or of the earliest last day among the papers if that comes before.
    """
    due = due_date(concluded, Limit(POLICY.good_days, Unit.NATURAL_DAY), (), calendar)
    first = min(papers, default=due.day)
    if first < due.day:
        return clock.day_start(first + timedelta(days=1)), False
    return due.moment, due.status == CalendarStatus.PROVISIONAL
