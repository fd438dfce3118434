"""Rules of orders: states, how long an attempt lives, when it is asked after, what surplus money is. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import StateConflict
from payments.bills.rules import MONEY_RECEIVED, BillState


class OrderState(StrEnum):
    """States of an order (3.5)."""

    CREATED = "CREATED"
    PAYING = "PAYING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CLOSED = "CLOSED"


class Scene(StrEnum):
    """Where the payer opens the cashier: an app on the phone, a page in its browser, a mini-program of the platform."""

    APP = "APP"
    H5 = "H5"
    MINI = "MINI"


class Surplus(StrEnum):
    """Why money that came pays no bill and goes back (PY-6, PY-7)."""

    DUPLICATE = "DUPLICATE"  # the bill was paid by another order
    LATE = "LATE"  # the bill had expired
    CANCELLED = "CANCELLED"  # the bill had been cancelled
    CLOSED = "CLOSED"  # the order had been closed; a new attempt may be running


S = OrderState
TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    # An order that was never handed out is closed when its bill ends first, and fails when the platform won't have it.
    S.CREATED: frozenset({S.PAYING, S.FAILED, S.CLOSED}),
    S.PAYING: frozenset({S.SUCCEEDED, S.FAILED, S.CLOSED}),
    S.SUCCEEDED: frozenset(),
    S.FAILED: frozenset(),
    S.CLOSED: frozenset(),
}
LIVE = frozenset({S.CREATED, S.PAYING})


@dataclass(frozen=True, slots=True)
class Policy:
    """What a city may set otherwise ([D])."""

    attempt_lifetime: timedelta = timedelta(minutes=30)
    # An order nobody opened can't be paid any more when its link has ended and the platform's clock has too.
    clock_tolerance: timedelta = timedelta(minutes=1)
    ask_every: timedelta = timedelta(seconds=5)
    query_after: tuple[timedelta, ...] = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))


POLICY = Policy()


def check_move(old: OrderState, new: OrderState) -> None:
    """Raise `StateConflict` unless an order may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise StateConflict()


def order_no(bill_number: str, attempt: int) -> str:
    """Our number at the platform: the bill's and the attempt's, so that a repeated call is the same order (PY-7)."""
    return f"{bill_number}_{attempt}"


def surplus_of(bill: BillState, order: OrderState, *, in_time: bool) -> Surplus | None:
    """Why a payment of `order` doesn't pay its bill, or None when it does. `in_time`: paid before the bill's end."""
    if bill in MONEY_RECEIVED:
        return Surplus.DUPLICATE
    if bill is BillState.CANCELLED:
        return Surplus.CANCELLED
    if bill is BillState.EXPIRED or not in_time:
        return Surplus.LATE
    return None if order is S.PAYING else Surplus.CLOSED


def can_still_be_opened(until: datetime, now: datetime) -> bool:
    """Whether a link that ends at `until` may still be opened at true time `now`."""
    return now < until + POLICY.clock_tolerance


def wait_before(step: int) -> timedelta | None:
    """How long after the question before it the `step`-th question is asked (PY-9); None after the last."""
    moments = (timedelta(), *POLICY.query_after)
    return moments[step + 1] - moments[step] if step < len(POLICY.query_after) else None


_RETURN_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~=&?#%-]{0,200}")


def is_return_path(path: str) -> bool:
    """Whether `path` is a place on our own site: the payer's browser is never sent elsewhere."""
    return _RETURN_PATH.fullmatch(path) is not None
