"""Rules of the hall queue (AP-17 … AP-21). Pure: `now` and the state of the queue are passed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from casework.appointments.rules import Arrival
from casework.queue.errors import CallTooSoon
from casework.slots.rules import HallPolicy
from core.errors import StateConflict


class State(StrEnum):
    """The states of a ticket (3.2)."""

    WAITING = "WAITING"
    CALLED = "CALLED"
    SERVING = "SERVING"
    FINISHED = "FINISHED"
    PASSED = "PASSED"
    VOID = "VOID"


# WAITING → VOID is the evening run: who still waits when the hall closes is no no-show.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.CALLED, State.VOID}),
    State.CALLED: frozenset({State.SERVING, State.PASSED}),
    State.SERVING: frozenset({State.FINISHED}),
    State.PASSED: frozenset({State.WAITING, State.VOID}),
    State.FINISHED: frozenset(),
    State.VOID: frozenset(),
}

LABELS: dict[State, tuple[str, str]] = {
    State.WAITING: ("等候中", "Waiting"),
    State.CALLED: ("请到窗口", "Called"),
    State.SERVING: ("办理中", "Being served"),
    State.FINISHED: ("已办结", "Finished"),
    State.PASSED: ("已过号", "Passed"),
    State.VOID: ("已作废", "Void"),
}


class Lane(StrEnum):
    """Where a ticket waits (AP-18)."""

    BOOKED = "BOOKED"
    PRIORITY = "PRIORITY"
    WALK_IN = "WALK_IN"


class Priority(StrEnum):
    """Who waits in the priority lane (AP-18). Never shown to others: the number doesn't tell."""

    ELDER = "ELDER"
    DISABLED = "DISABLED"
    PREGNANT = "PREGNANT"
    SOLDIER = "SOLDIER"


class Result(StrEnum):
    """How a visit ended (AP-21). UNRECORDED: the window forgot, and the evening run closed it."""

    ACCEPTED = "ACCEPTED"
    NOTICE = "NOTICE"
    ADVICE = "ADVICE"
    LEFT = "LEFT"
    UNRECORDED = "UNRECORDED"


GIVEN_RESULTS = (Result.ACCEPTED, Result.NOTICE, Result.ADVICE, Result.LEFT)
_FRUITLESS = frozenset({Result.NOTICE, Result.ADVICE})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A waiting ticket. `returns_after`: it was passed before and is next after that many calls of its queue (AP-19)."""

    key: UUID
    lane: Lane
    queue_at: datetime
    returns_after: int | None = None
    missing: int = 0


@dataclass(frozen=True, slots=True)
class QueueState:
    """What the queue of one zone and day remembers between calls."""

    calls_made: int = 0
    booked_in_a_row: int = 0

    def after(self, lane: Lane) -> QueueState:
        """The state once a ticket of `lane` was called."""
        return QueueState(self.calls_made + 1, self.booked_in_a_row + 1 if lane is Lane.BOOKED else 0)


def check_move(state: State, to: State) -> None:
    """Raise `StateConflict` unless the table allows `state` → `to`."""
    if to not in TRANSITIONS[state]:
        raise StateConflict(extra={"state": state})


def number(prefix: str, running: int) -> str:
    """The number on the ticket, such as Y4012."""
    return f"{prefix}{running:03d}"


def prefix(lane: Lane, zone_code: str) -> str:
    """Y for booked, A for all others, with the zone's digits: numbers of one hall and day never repeat (AP-16)."""
    digits = "".join(char for char in zone_code if char.isdigit())
    return ("Y" if lane is Lane.BOOKED else "A") + (digits or zone_code)


def lane_of(arrival: Arrival, *, room_minutes: int, minutes: int) -> Lane:
    """Where a booked arrival waits: late ones keep the booked lane only if the running slot has room for them (AP-17)."""
    return Lane.BOOKED if arrival is Arrival.ON_TIME or room_minutes >= minutes else Lane.WALK_IN


def queue_from(arrival: Arrival, starts_at: datetime, now: datetime) -> datetime:
    """From when a booked arrival is in the line: its slot's start, or now when late: the back of the queue (AP-17)."""
    return starts_at if arrival is Arrival.ON_TIME else now


def next_ticket(waiting: Iterable[Waiting], state: QueueState, now: datetime, policy: HallPolicy) -> Waiting | None:
    """Whom a free window calls (AP-18, AP-19), or None.

    First who comes back after being passed and whose turn it is; then booked whose time has come, at most three in a row
    while others wait; then priority; then walk-in. When none of these is there: booked who came early, and at last those
    whose turn to come back isn't yet. Tickets whose other parties are still missing wait (AP-12).
    """
    ready = sorted((one for one in waiting if one.missing == 0), key=lambda one: (one.queue_at, one.key))
    returning = [one for one in ready if one.returns_after is not None]
    plain = [one for one in ready if one.returns_after is None]
    back = [one for one in returning if one.returns_after is not None and one.returns_after <= state.calls_made]
    booked = [one for one in plain if one.lane is Lane.BOOKED and one.queue_at <= now]
    others = [one for lane in (Lane.PRIORITY, Lane.WALK_IN) for one in plain if one.lane is lane]
    early = [one for one in plain if one.lane is Lane.BOOKED and one.queue_at > now]
    enough = state.booked_in_a_row >= policy.booked_in_a_row
    line = others + booked if enough else booked + others
    return next(iter(back + line + early + returning), None)


def ahead_of(key: UUID, waiting: Sequence[Waiting], state: QueueState, now: datetime, policy: HallPolicy) -> int | None:
    """How many will be called before this ticket, if nobody else came; None if it isn't ready to be called."""
    left = list(waiting)
    called = 0
    while (following := next_ticket(left, state, now, policy)) is not None:
        if following.key == key:
            return called
        left.remove(following)
        state = state.after(following.lane)
        called += 1
    return None


def check_gap(last_call: datetime, now: datetime, policy: HallPolicy) -> None:
    """Calls are a minute apart (AP-19). Raises `CallTooSoon`."""
    wait = last_call + timedelta(seconds=policy.call_gap_seconds) - now
    if wait > timedelta():
        seconds = -(-wait // timedelta(seconds=1))
        raise CallTooSoon(seconds=seconds, extra={"retry_after": seconds})


def check_recall(calls: int, last_call: datetime, now: datetime, policy: HallPolicy) -> None:
    """Whether a called number may be called again (AP-19). Raises `StateConflict` after the third time, `CallTooSoon`."""
    if calls >= policy.calls_before_pass:
        raise StateConflict(extra={"calls": calls})
    check_gap(last_call, now, policy)


def check_pass(calls: int, last_call: datetime, now: datetime, policy: HallPolicy) -> None:
    """Whether a number that doesn't come may be passed: called three times, a minute apart (AP-19)."""
    if calls < policy.calls_before_pass:
        raise StateConflict(extra={"calls": calls})
    check_gap(last_call, now, policy)


def check_return(passes: int, passed_at: datetime, now: datetime, policy: HallPolicy) -> None:
    """Whether a passed number may come back: once, within half an hour (AP-19). Raises `StateConflict`."""
    if passes > 1 or now > passed_at + timedelta(minutes=policy.return_minutes):
        raise StateConflict(extra={"state": State.PASSED})


def is_wasted(result: Result, *, prereviewed: bool) -> bool:
    """Whether a booked and reviewed visit came to nothing (AP-21, S23)."""
    return prereviewed and result in _FRUITLESS


def state_of(row: Any) -> QueueState:
    """The remembered state of a queue's row."""
    return QueueState(row.calls_made, row.booked_in_a_row)
