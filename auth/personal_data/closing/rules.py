"""States of a closing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.errors import StateConflict


class State(StrEnum):
    """`COOLING`: the person may still call it off. `BLOCKED`: something was opened meanwhile, so it came to nothing."""

    COOLING = "COOLING"
    CALLED_OFF = "CALLED_OFF"
    BLOCKED = "BLOCKED"
    DONE = "DONE"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.COOLING: frozenset({State.CALLED_OFF, State.BLOCKED, State.DONE}),
    State.CALLED_OFF: frozenset(),
    State.BLOCKED: frozenset(),
    State.DONE: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The city's choice [D]: long enough for the owner to hear of it when somebody else asked."""

    cooling: timedelta = timedelta(days=7)


POLICY = Policy()


def check_move(before: State, after: State) -> None:
    """Raises `StateConflict` unless the table allows the move."""
    if after not in TRANSITIONS[before]:
        raise StateConflict()
