"""States of a shipment, and how they follow from what the carrier reports (3.6). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from casework.delivery.errors import AddressNotServed, AlreadyHandedOver
from core.errors import StateConflict


class State(StrEnum):
    """The states of DOMAIN 3.6."""

    REQUESTED = "REQUESTED"
    CONFIRMED = "CONFIRMED"
    ORDERED = "ORDERED"
    HANDED_OVER = "HANDED_OVER"
    IN_TRANSIT = "IN_TRANSIT"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    IDENTITY_CHECK = "IDENTITY_CHECK"
    DELIVERED = "DELIVERED"
    FAILED_ATTEMPT = "FAILED_ATTEMPT"
    HELD_AT_STATION = "HELD_AT_STATION"
    SIGNED_UNVERIFIED = "SIGNED_UNVERIFIED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"
    LOST = "LOST"
    DAMAGED = "DAMAGED"
    CANCELLED = "CANCELLED"


S = State
CARRIED = frozenset(
    {
        S.HANDED_OVER,
        S.IN_TRANSIT,
        S.OUT_FOR_DELIVERY,
        S.IDENTITY_CHECK,
        S.FAILED_ATTEMPT,
        S.HELD_AT_STATION,
        S.SIGNED_UNVERIFIED,
        S.RETURNING,
    }
)
"""With the carrier. Reports come late and out of order, so any of these may follow any other (CR-14)."""
ENDED = frozenset({S.DELIVERED, S.RETURNED, S.LOST, S.DAMAGED, S.CANCELLED})
BEFORE_ORDER = frozenset({S.REQUESTED, S.CONFIRMED})
BEFORE_HAND_OVER = frozenset({S.REQUESTED, S.CONFIRMED, S.ORDERED})

_ENDS = ENDED - {S.CANCELLED}
TRANSITIONS: dict[State, frozenset[State]] = {
    S.REQUESTED: frozenset({S.CONFIRMED, S.CANCELLED}),
    S.CONFIRMED: frozenset({S.ORDERED, S.CANCELLED}),
    S.ORDERED: CARRIED | _ENDS | {S.CANCELLED},
    **{state: (CARRIED - {state}) | _ENDS for state in CARRIED},
    # A final state is left only by RETURNING or by a correction of staff (CR-14).
    S.DELIVERED: frozenset({S.RETURNING}),
    S.RETURNED: frozenset(),
    S.LOST: frozenset(),
    S.DAMAGED: frozenset(),
    S.CANCELLED: frozenset(),
}

LABELS: dict[State, tuple[str, str]] = {
    S.REQUESTED: ("已申请", "Requested"),
    S.CONFIRMED: ("已装件", "Packed"),
    S.ORDERED: ("已下单", "Courier ordered"),
    S.HANDED_OVER: ("已交快递", "Handed over"),
    S.IN_TRANSIT: ("运输中", "In transit"),
    S.OUT_FOR_DELIVERY: ("派送中", "Out for delivery"),
    S.IDENTITY_CHECK: ("核验身份", "Identity being checked"),
    S.DELIVERED: ("已签收", "Delivered"),
    S.FAILED_ATTEMPT: ("未送成，将再次派送", "Attempt failed"),
    S.HELD_AT_STATION: ("暂存网点", "Held at the station"),
    S.SIGNED_UNVERIFIED: ("已签收，正在核实签收人", "Signed, recipient being verified"),
    S.RETURNING: ("退回中", "Being returned"),
    S.RETURNED: ("已退回窗口", "Returned to the counter"),
    S.LOST: ("遗失处理中", "Lost"),
    S.DAMAGED: ("破损处理中", "Damaged"),
    S.CANCELLED: ("已改为窗口领取", "Changed to collection"),
}


class Kind(StrEnum):
    """What a carrier can report, in our words (CR-13)."""

    COLLECTED = "COLLECTED"
    MOVED = "MOVED"
    OUT = "OUT"
    ATTEMPT_FAILED = "ATTEMPT_FAILED"
    HELD = "HELD"
    LEFT_AT_LOCKER = "LEFT_AT_LOCKER"
    SIGNED = "SIGNED"
    SIGNED_BY_OTHER = "SIGNED_BY_OTHER"
    REFUSED = "REFUSED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"
    DAMAGED = "DAMAGED"
    DOOR_CHECK = "DOOR_CHECK"
    OTHER = "OTHER"


class Flag(StrEnum):
    """What a person must look at."""

    LOCKER_OR_OTHER = "LOCKER_OR_OTHER"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    FUTURE_TIME = "FUTURE_TIME"
    BEFORE_ORDER = "BEFORE_ORDER"
    IDENTITY_FAILED = "IDENTITY_FAILED"
    CARRIER_GAVE_UP = "CARRIER_GAVE_UP"
    THREE_ATTEMPTS = "THREE_ATTEMPTS"
    ORDER_REFUSED = "ORDER_REFUSED"
    ORDER_FAILED = "ORDER_FAILED"
    CALL_OFF_REFUSED = "CALL_OFF_REFUSED"


class Incident(StrEnum):
    """What a clerk can record of a parcel that didn't arrive."""

    LOST = "LOST"
    DAMAGED = "DAMAGED"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """Numbers DOMAIN marks [D], and the served areas."""

    code_lifetime: timedelta = timedelta(days=7)
    code_tries: int = 5
    attempts: int = 3
    clock_skew: timedelta = timedelta(minutes=10)
    quiet_after: timedelta = timedelta(hours=24)
    not_served: tuple[str, ...] = ("71", "81", "82")
    """Province prefixes: Taiwan, Hong Kong, Macau (CR-3)."""


POLICY = DeliveryPolicy()

_FOLLOWS: dict[Kind, State] = {
    Kind.COLLECTED: S.IN_TRANSIT,
    Kind.MOVED: S.IN_TRANSIT,
    Kind.OUT: S.OUT_FOR_DELIVERY,
    Kind.ATTEMPT_FAILED: S.FAILED_ATTEMPT,
    Kind.HELD: S.HELD_AT_STATION,
    Kind.LEFT_AT_LOCKER: S.HELD_AT_STATION,
    Kind.SIGNED: S.SIGNED_UNVERIFIED,
    Kind.SIGNED_BY_OTHER: S.SIGNED_UNVERIFIED,
    Kind.REFUSED: S.RETURNING,
    Kind.RETURNING: S.RETURNING,
    Kind.RETURNED: S.RETURNED,
    Kind.DAMAGED: S.DAMAGED,
}
_SIGNS = frozenset({Kind.SIGNED, Kind.SIGNED_BY_OTHER})
_ENDING = frozenset({Kind.SIGNED, Kind.SIGNED_BY_OTHER, Kind.RETURNED, Kind.DAMAGED})


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One report of the carrier; reports form a set (CR-14)."""

    at: datetime
    code: str
    place: str = field(compare=True)
    kind: Kind = field(compare=False, default=Kind.OTHER)


@dataclass(frozen=True, slots=True)
class Track:
    """What the set of reports amounts to: the state (None: nothing usable yet), what needs a person, and when it was signed."""

    state: State | None
    flags: frozenset[Flag]
    signed_at: datetime | None
    attempts: int


def read_track(events: Iterable[Event], *, ordered_at: datetime, now: datetime, identity_ok: bool) -> Track:
    """Recompute from the whole set, in the order of event time, whatever order it arrived in (CR-14).

    `identity_ok`: the delivery code was right and the card was seen (CR-7): only then a signature means DELIVERED. Reports from
    the future or from before the order (a reused waybill) are left out and flagged. A signed or returned parcel stays so
    unless it goes back.
    """
    flags: set[Flag] = set()
    state: State | None = None
    signed_at: datetime | None = None
    attempts = 0
    for event in sorted(events):
        if event.kind is Kind.DOOR_CHECK:
            continue
        if event.at > now + POLICY.clock_skew:
            flags.add(Flag.FUTURE_TIME)
            continue
        if event.at < ordered_at - POLICY.clock_skew:
            flags.add(Flag.BEFORE_ORDER)
            continue
        if event.kind is Kind.OTHER:
            flags.add(Flag.UNKNOWN_CODE)
            continue
        if event.kind in {Kind.LEFT_AT_LOCKER, Kind.SIGNED_BY_OTHER}:
            flags.add(Flag.LOCKER_OR_OTHER)
        if event.kind is Kind.ATTEMPT_FAILED:
            attempts += 1
        if signed_at is not None and event.kind not in {Kind.RETURNING, Kind.RETURNED, Kind.REFUSED}:
            continue
        if event.kind in _SIGNS:
            signed_at = event.at
        state = _FOLLOWS[event.kind]
    if state is S.SIGNED_UNVERIFIED and identity_ok:
        state = S.DELIVERED
    if attempts >= POLICY.attempts:
        flags.add(Flag.THREE_ATTEMPTS)
    return Track(state, frozenset(flags), signed_at, attempts)


def check_move(state: State, to: State) -> None:
    """Raise `StateConflict` unless the table allows `state` → `to`."""
    if to not in TRANSITIONS[state]:
        raise StateConflict()


def check_changeable(state: State) -> None:
    """Raise `AlreadyHandedOver` once the parcel is with the carrier (CR-1)."""
    if state not in BEFORE_HAND_OVER:
        raise AlreadyHandedOver()


def check_address(region_code: str) -> None:
    """Raise `AddressNotServed` for Hong Kong, Macau and Taiwan [D] (CR-3)."""
    if region_code.startswith(POLICY.not_served):
        raise AddressNotServed(fields={"address.region_code": ["不在派送范围 / not served"]})
