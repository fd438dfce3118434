"""States of a request, and what can be asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.errors import StateConflict


class Kind(StrEnum):
    """What is wrong, or unclear."""

    NAME = "NAME"
    PHONE = "PHONE"
    DOCUMENT = "DOCUMENT"
    CASE_DATA = "CASE_DATA"
    OTHER = "OTHER"
    EXPLAIN_DECISION = "EXPLAIN_DECISION"


# They are about one matter and must say which.
ABOUT_A_MATTER = frozenset({Kind.CASE_DATA, Kind.EXPLAIN_DECISION})


class State(StrEnum):
    """Where a request stands."""

    OPEN = "OPEN"
    TAKEN = "TAKEN"
    DONE = "DONE"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.OPEN: frozenset({State.TAKEN, State.WITHDRAWN}),
    State.TAKEN: frozenset({State.OPEN, State.DONE, State.REFUSED, State.WITHDRAWN}),
    State.DONE: frozenset(),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
UNANSWERED = frozenset({State.OPEN, State.TAKEN})

LABELS: dict[State, tuple[str, str]] = {
    State.OPEN: ("已提交，等待受理", "Received"),
    State.TAKEN: ("工作人员正在核实", "Being looked into"),
    State.DONE: ("已办结", "Done"),
    State.REFUSED: ("未予更正，理由见答复", "Not corrected; see the answer"),
    State.WITHDRAWN: ("已撤回", "Withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The city's choice [D]."""

    answer_within: timedelta = timedelta(days=15)


POLICY = Policy()


def check_move(before: State, after: State) -> None:
    """Raises `StateConflict` unless the table allows the move."""
    if after not in TRANSITIONS[before]:
        raise StateConflict()
