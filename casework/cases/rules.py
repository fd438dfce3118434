"""Rules of a case: its states, the moves between them, and its two clocks (DOMAIN 2.4, 2.5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from casework.cases.errors import ReasonMissing
from core.errors import StateConflict
from core.workdays import (
    Calendar,
    CalendarStatus,
    Colour,
    DueDate,
    Limit,
    Pause,
    Unit,
    add_workdays,
    clock_colour,
    due_date,
)

MATTER = "case"
"""What bills and messages call a case."""


class State(StrEnum):
    """The states of DOMAIN 2.4."""

    DRAFT = "DRAFT"
    DISCARDED = "DISCARDED"
    SUBMITTED = "SUBMITTED"
    RECEIVED = "RECEIVED"
    CORRECTING = "CORRECTING"
    ACCEPTED = "ACCEPTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    SUSPENDED = "SUSPENDED"
    DECIDED_GRANT = "DECIDED_GRANT"
    DECIDED_REFUSE = "DECIDED_REFUSE"
    CONCLUDED = "CONCLUDED"
    ISSUING = "ISSUING"
    DELIVERED = "DELIVERED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    WITHDRAWN = "WITHDRAWN"
    CLOSED_NO_CORRECTION = "CLOSED_NO_CORRECTION"


# WITHDRAWN is entered "from any before decision"; a draft is discarded instead.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SUBMITTED, State.DISCARDED}),
    State.DISCARDED: frozenset(),
    State.SUBMITTED: frozenset({State.RECEIVED, State.WITHDRAWN}),
    State.RECEIVED: frozenset({State.CORRECTING, State.ACCEPTED, State.NOT_ACCEPTED, State.WITHDRAWN}),
    State.CORRECTING: frozenset({State.RECEIVED, State.CLOSED_NO_CORRECTION, State.WITHDRAWN}),
    State.ACCEPTED: frozenset({State.UNDER_REVIEW, State.WITHDRAWN}),
    State.UNDER_REVIEW: frozenset({State.SUSPENDED, State.DECIDED_GRANT, State.DECIDED_REFUSE, State.WITHDRAWN}),
    State.SUSPENDED: frozenset({State.UNDER_REVIEW, State.WITHDRAWN}),
    State.DECIDED_GRANT: frozenset({State.CONCLUDED}),
    State.DECIDED_REFUSE: frozenset({State.CONCLUDED}),
    State.CONCLUDED: frozenset({State.ISSUING}),
    State.ISSUING: frozenset({State.DELIVERED}),
    State.DELIVERED: frozenset(),
    State.NOT_ACCEPTED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.CLOSED_NO_CORRECTION: frozenset(),
}

FINAL = frozenset(state for state, moves in TRANSITIONS.items() if not moves)
CLOCK_RUNS = frozenset({State.ACCEPTED, State.UNDER_REVIEW})
"""States in which both clocks run; in SUSPENDED they stand still."""

RECKONED = CLOCK_RUNS | {State.RECEIVED}
"""States with a date that moves when the calendar changes (K-9); the others are reckoned when they go on."""

BEFORE_ISSUING = CLOCK_RUNS | {
    State.RECEIVED, State.CORRECTING, State.SUSPENDED, State.DECIDED_GRANT, State.CONCLUDED,
}  # fmt: skip
"""States in which another hall may still be chosen to collect the result in (S12)."""

AFTER_DECISION = frozenset({State.DECIDED_GRANT, State.DECIDED_REFUSE, State.CONCLUDED, State.ISSUING, State.DELIVERED})

LABELS: dict[State, tuple[str, str]] = {
    State.DRAFT: ("草稿", "Draft"),
    State.DISCARDED: ("已删除", "Discarded"),
    State.SUBMITTED: ("已提交", "Submitted"),
    State.RECEIVED: ("已收件", "Received"),
    State.CORRECTING: ("待补正", "Correction needed"),
    State.ACCEPTED: ("已受理", "Accepted"),
    State.UNDER_REVIEW: ("审查中", "Under review"),
    State.SUSPENDED: ("特别程序", "Paused for a special procedure"),
    State.DECIDED_GRANT: ("准予", "Granted"),
    State.DECIDED_REFUSE: ("不予", "Refused"),
    State.CONCLUDED: ("已办结", "Concluded"),
    State.ISSUING: ("制证/待领取/快递中", "Result being issued"),
    State.DELIVERED: ("已送达", "Delivered"),
    State.NOT_ACCEPTED: ("不予受理", "Not accepted"),
    State.WITHDRAWN: ("已撤回", "Withdrawn"),
    State.CLOSED_NO_CORRECTION: ("补正超期办结", "Closed: correction did not come"),
}

NEXT_STEPS: dict[State, tuple[str, str]] = {
    State.SUBMITTED: ("等待收件", "Wait for receipt"),
    State.RECEIVED: ("等待受理决定，最迟 5 个工作日内答复", "Wait for the acceptance notice, at most 5 working days"),
    State.CORRECTING: ("请按补正通知一次性补齐材料", "Please bring everything the correction notice lists"),
    State.ACCEPTED: ("等待审查", "Wait for the review"),
    State.UNDER_REVIEW: ("等待审查，无需操作", "Under review; nothing to do"),
    State.SUSPENDED: ("特别程序期间不计入办理时限", "The clock stands still during the special procedure"),
    State.DECIDED_GRANT: ("等待办结", "Wait for conclusion"),
    State.DECIDED_REFUSE: ("可依法申请行政复议或提起行政诉讼", "You may ask for administrative review or go to court"),
    State.CONCLUDED: ("等待制证", "The result is being made"),
    State.ISSUING: ("可选择快递送达或到窗口领取", "Choose delivery by courier or collect at the counter"),
}

REMEDY = "如不服本决定，可在收到之日起六十日内申请行政复议，或在六个月内向人民法院提起行政诉讼。"
"""C-3: the route of review and court; the periods are those of 行政复议法 and 行政诉讼法."""


@dataclass(frozen=True, slots=True)
class CasePolicy:
    """Numbers DOMAIN marks [D]: defaults, to be keyed by item when a city sets others."""

    notice_workdays: int = 5
    correction_workdays: int = 15
    issue_workdays: int = 10
    extension_workdays: int = 10


POLICY = CasePolicy()


@dataclass(frozen=True, slots=True)
class Clocks:
    """The promised and the legal due date of a case, and the day from which it stands at amber (K-6)."""

    promised: DueDate
    legal: DueDate
    amber_on: date


def check_move(state: State, to: State) -> None:
    """Raise `StateConflict` unless the table allows `state` → `to`."""
    if to not in TRANSITIONS[state]:
        raise StateConflict()


def clocks(
    accepted: date, promised: Limit, legal: Limit, pauses: Sequence[Pause], extension: int, calendar: Calendar
) -> Clocks:
    """Both due dates from the acceptance day (K-2), the pauses (K-5) and an approved extension in working days (C-6).

    An extension lengthens the promise and the law's limit alike.
    """
    promise = _due(accepted, promised, pauses, extension, calendar)
    law = _due(accepted, legal, pauses, extension, calendar)
    return Clocks(promise, law, _amber_on(promise, law, calendar))


def _amber_on(promised: DueDate, legal: DueDate, calendar: Calendar) -> date:
    """The first day at amber: kept with the case, so that its colour needs no calendar."""
    day = promised.day
    while True:
        earlier = day - timedelta(days=1)
        stands = clock_colour(
            earlier, promised=promised.day, legal=legal.day, promise_workdays=promised.workdays, calendar=calendar
        )
        if stands is not Colour.AMBER:
            return day
        day = earlier


def colour(state: State, today: date, *, amber_on: date, promised: date, legal: date) -> Colour | None:
    """How a case stands at `today` (K-6): black past the law, red past the promise; None while its clock doesn't run."""
    if state not in CLOCK_RUNS:
        return None
    if today > legal:
        return Colour.BLACK
    if today > promised:
        return Colour.RED
    return Colour.AMBER if today >= amber_on else Colour.GREEN


def _due(accepted: date, limit: Limit, pauses: Sequence[Pause], extension: int, calendar: Calendar) -> DueDate:
    if not extension:
        return due_date(accepted, limit, pauses, calendar)
    if limit.unit is Unit.WORKDAY:
        return due_date(accepted, Limit(limit.value + extension), pauses, calendar)
    # A limit in other days goes on, from its own last day, by the working days that were granted.
    first = due_date(accepted, limit, pauses, calendar)
    more = due_date(first.day, Limit(extension), (), calendar)
    provisional = CalendarStatus.PROVISIONAL in {first.status, more.status}
    return DueDate(
        more.day,
        CalendarStatus.PROVISIONAL if provisional else CalendarStatus.FIRM,
        first.workdays + more.workdays,
        first.explanation + more.explanation,
    )


def is_granted(state: State, refusal_reason: str) -> bool:
    """Whether the case was decided in the citizen's favour; after the decision only the reason tells a refusal apart."""
    return state in AFTER_DECISION and not refusal_reason


def is_billable(state: State, refusal_reason: str) -> bool:
    """Whether fees may be billed: accepted, and neither refused nor given up (PY-1)."""
    return state in CLOCK_RUNS | {State.SUSPENDED} or is_granted(state, refusal_reason)


def notice_due(received: date, calendar: Calendar) -> date:
    """The last day for the acceptance notice; silence past it means accepted (C-5)."""
    return add_workdays(received, POLICY.notice_workdays, calendar)


def check_refusal(reason: str, clause: str) -> None:
    """C-3: refusing or not accepting needs a reason and the legal clause. Raises `ReasonMissing`."""
    missing = {name: ["必填 / required"] for name, text in (("reason", reason), ("clause", clause)) if not text.strip()}
    if missing:
        raise ReasonMissing(fields=missing)
