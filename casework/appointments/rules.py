"""Rules of booking: states, limits, entitlement, cancelling, arrival, no-shows (AP-6 … AP-23). Pure: `now` is passed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from casework.appointments.errors import (
    BookingBlocked,
    BookingLimit,
    CancelTooLate,
    CheckinTooEarly,
    CheckinTooLate,
)
from casework.slots.rules import HallPolicy
from core import clock
from core.actors import Capacity
from core.errors import StateConflict
from core.identifiers import age_on


class State(StrEnum):
    """The states of DOMAIN 3.2."""

    HELD = "HELD"
    BOOKED = "BOOKED"
    CANCELLED = "CANCELLED"
    LATE_CANCEL = "LATE_CANCEL"
    HALL_CANCELLED = "HALL_CANCELLED"
    CHECKED_IN = "CHECKED_IN"
    SERVING = "SERVING"
    FINISHED = "FINISHED"
    NO_SHOW = "NO_SHOW"


# A hold that runs out or is given up leaves no row. A visitor who leaves before being served finishes without SERVING.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.HELD: frozenset({State.BOOKED}),
    State.BOOKED: frozenset(
        {State.CANCELLED, State.LATE_CANCEL, State.HALL_CANCELLED, State.CHECKED_IN, State.NO_SHOW}
    ),
    State.CHECKED_IN: frozenset({State.SERVING, State.FINISHED}),
    State.SERVING: frozenset({State.FINISHED}),
    State.CANCELLED: frozenset(),
    State.LATE_CANCEL: frozenset(),
    State.HALL_CANCELLED: frozenset(),
    State.FINISHED: frozenset(),
    State.NO_SHOW: frozenset(),
}

LIVE = frozenset({State.HELD, State.BOOKED, State.CHECKED_IN, State.SERVING})
STRIKES = {State.NO_SHOW: 2, State.LATE_CANCEL: 1}
"""What counts against who should have come, in halves of a no-show (AP-14, AP-22)."""

LABELS: dict[State, tuple[str, str]] = {
    State.HELD: ("名额保留中", "Held for you"),
    State.BOOKED: ("已预约", "Booked"),
    State.CANCELLED: ("已取消", "Cancelled"),
    State.LATE_CANCEL: ("临近取消", "Cancelled late"),
    State.HALL_CANCELLED: ("大厅取消", "Cancelled by the hall"),
    State.CHECKED_IN: ("已签到", "Checked in"),
    State.SERVING: ("办理中", "Being served"),
    State.FINISHED: ("已办结", "Finished"),
    State.NO_SHOW: ("未到场", "Not attended"),
}


class Comes(StrEnum):
    """Who comes to the counter (AP-11)."""

    SELF = "SELF"
    AGENT = "AGENT"
    GUARDIAN = "GUARDIAN"


class Need(StrEnum):
    """What the hall should have ready (AP-11)."""

    WHEELCHAIR = "WHEELCHAIR"
    SIGN_LANGUAGE = "SIGN_LANGUAGE"
    GUIDE = "GUIDE"
    INTERPRETER = "INTERPRETER"


DISABILITY_NEEDS = frozenset({Need.WHEELCHAIR, Need.SIGN_LANGUAGE, Need.GUIDE})


class Closing(StrEnum):
    """Why a booking was given up (part of the row, beside its state)."""

    CITIZEN = "CITIZEN"
    FREE_CHANGE = "FREE_CHANGE"
    CHANGE = "CHANGE"
    HALL = "HALL"
    MERGED = "MERGED"
    DEATH = "DEATH"


COUNTED_CANCELS = frozenset({Closing.CITIZEN, Closing.CHANGE})
"""A change beyond the free one counts as a cancellation (AP-13)."""

_BOOK_LEVEL = 2
_SENSITIVE_ITEM_LEVEL = 4


def booking_level(item_level: int) -> int:
    """The level that booking an item needs (AP-7, 3.7): 2; 3 for those whose application itself needs a fresh proof (4)."""
    return _BOOK_LEVEL if item_level < _SENSITIVE_ITEM_LEVEL else _BOOK_LEVEL + 1


def check_move(state: State, to: State) -> None:
    """Raise `StateConflict` unless the table allows `state` → `to`."""
    if to not in TRANSITIONS[state]:
        raise StateConflict(extra={"state": state})


def is_entitled(
    *, birth_date: date | None, day: date, needs: Collection[Need], by_hotline: bool, rebooks: bool, policy: HallPolicy
) -> bool:
    """Whether a booking may use the reserved places (AP-6): hotline, the old, the disabled, and whom the hall cancelled (AP-15).

    A disability is taken at its word here: the clerk sees it at check-in.
    """
    old = birth_date is not None and age_on(birth_date, day) >= policy.elder_age
    return by_hotline or rebooks or old or bool(DISABILITY_NEEDS & set(needs))


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier booking that a new one is judged by. `party`: the right-holder is named in it; `same_phone`: it has the same phone."""

    id: UUID
    owner_id: UUID
    acting_id: UUID
    party: bool
    same_phone: bool
    state: State
    item_id: str
    hall_id: UUID
    day: date
    starts_at: datetime
    ends_at: datetime
    booked_at: datetime | None
    closed_at: datetime | None
    closing: Closing | None
    hold_until: datetime | None
    replaced: bool

    def live(self, now: datetime) -> bool:
        """Whether it still counts as held or booked."""
        return self.state in LIVE and (self.hold_until is None or self.hold_until > now)


@dataclass(frozen=True, slots=True)
class Wish:
    """A booking somebody wants. `replaces`: the booking it is moved from, which no longer counts."""

    owner_id: UUID
    acting_id: UUID
    item_id: str
    hall_id: UUID
    starts_at: datetime
    ends_at: datetime
    replaces: UUID | None = None

    @property
    def day(self) -> date:
        """The day in Shanghai."""
        return clock.local(self.starts_at).date()

    def is_own(self, past: Past) -> bool:
        """Whether an earlier booking is the same right-holder's."""
        return past.owner_id == self.owner_id or past.party


def who_comes(wish: Wish, acted_by: Capacity | None) -> Comes:
    """Who comes when the form doesn't say (AP-11): the guardian of a child, an agent for anybody else."""
    if wish.acting_id == wish.owner_id:
        return Comes.SELF
    return Comes.GUARDIAN if acted_by is Capacity.GUARDIAN else Comes.AGENT


_LIMITS = {
    "ITEM": ("同一事项已有预约", "you have a booking of this item"),
    "DAY": ("同一天在同一大厅已有预约", "you have a booking in this hall on that day"),
    "OVERLAP": ("该时间您在其他大厅已有预约", "you have a booking elsewhere at that time"),
    "PERSON": ("您的有效预约已达上限", "you have too many live bookings"),
    "PHONE": ("该手机号的有效预约已达上限", "this phone has too many live bookings"),
    "AGENT": ("代办人今日预约已达上限", "this agent has booked too often today"),
    "CANCELS": ("今日取消次数已达上限，请明天再约", "too many cancellations today, please book tomorrow"),
    "PARTY": ("共同办理人已有预约", "another party has a booking already"),
}


def limit(name: str) -> BookingLimit:
    """The refusal for the limit `name`."""
    zh, en = _LIMITS[name]
    return BookingLimit(zh=zh, en=en, extra={"limit": name})


def check_standing(wish: Wish, past: Sequence[Past], now: datetime, policy: HallPolicy, *, online: bool) -> None:
    """AP-8 limits, and for bookings made online AP-22's block. A hold of the same person doesn't count: it gives way (AP-10).

    Raises `BookingLimit` or `BookingBlocked`.
    """
    if online:
        until = blocked_until(wish, past, now, policy)
        if until is not None:
            raise BookingBlocked(until=until.isoformat(), extra={"until": until.isoformat()})
    others = [one for one in past if one.id != wish.replaces]
    live = [one for one in others if one.live(now) and not (one.state is State.HELD and one.owner_id == wish.owner_id)]
    own = [one for one in live if wish.is_own(one)]
    there = [
        one
        for one in others
        if wish.is_own(one)
        and (one in own or one.state is State.FINISHED)
        and (one.hall_id, one.day) == (wish.hall_id, wish.day)
    ]
    today = clock.local(now).date()
    if any(one.item_id == wish.item_id for one in own):
        raise limit("ITEM")
    if len(there) >= policy.per_hall_a_day:
        raise limit("DAY")
    if any(one.starts_at < wish.ends_at and wish.starts_at < one.ends_at for one in own):
        raise limit("OVERLAP")
    if len(own) >= policy.live_per_person:
        raise limit("PERSON")
    if sum(one.same_phone for one in live) >= policy.live_per_phone:
        raise limit("PHONE")
    if wish.acting_id != wish.owner_id and _booked_for_others(wish, others, today) >= policy.per_agent_a_day:
        raise limit("AGENT")
    if _cancelled(wish, others, today) >= policy.cancels_a_day:
        raise limit("CANCELS")


def _booked_for_others(wish: Wish, past: Iterable[Past], today: date) -> int:
    return sum(
        one.acting_id == wish.acting_id != one.owner_id
        and one.booked_at is not None
        and clock.local(one.booked_at).date() == today
        for one in past
    )


def _cancelled(wish: Wish, past: Iterable[Past], today: date) -> int:
    return sum(
        wish.is_own(one)
        and one.closing in COUNTED_CANCELS
        and one.closed_at is not None
        and clock.local(one.closed_at).date() == today
        for one in past
    )


def halves_against(person: UUID, past: Iterable[Past], now: datetime, policy: HallPolicy) -> int:
    """Halves of no-shows of who should have come, in the last `strike_days` (AP-14, AP-22, AP-23)."""
    since = now - timedelta(days=policy.strike_days)
    return sum(STRIKES.get(one.state, 0) for one in past if one.acting_id == person and since < one.starts_at <= now)


def blocked_until(wish: Wish, past: Sequence[Past], now: datetime, policy: HallPolicy) -> date | None:
    """The first day on which the right-holder and who acts may both book online again; None when they may now (AP-23)."""
    found = {person_blocked_until(person, past, now, policy) for person in (wish.owner_id, wish.acting_id)} - {None}
    return max((day for day in found if day is not None), default=None)


def person_blocked_until(person: UUID, past: Sequence[Past], now: datetime, policy: HallPolicy) -> date | None:
    """The first day on which this person may book online again, or None when they may now (AP-22).

    Each answers for the visits where they were the one to come. Counted afresh at every strike, so that an old one leaves
    the reckoning as time goes on.
    """
    strikes = [one for one in past if one.acting_id == person and one.state in STRIKES]
    ends = (
        clock.local(strike.starts_at).date() + timedelta(days=policy.block_days)
        for strike in strikes
        if halves_against(person, strikes, strike.starts_at, policy) >= policy.block_halves
    )
    until = max(ends, default=None)
    return until if until is not None and clock.local(now).date() < until else None


def to_rebook(wish: Wish, past: Iterable[Past], now: datetime, policy: HallPolicy) -> UUID | None:
    """The booking of this item the hall cancelled and that wasn't made up for yet (AP-15), or None."""
    since = now - timedelta(days=policy.rebook_days)
    for one in past:
        if (
            one.state is State.HALL_CANCELLED
            and not one.replaced
            and one.owner_id == wish.owner_id
            and one.item_id == wish.item_id
            and one.closed_at is not None
            and one.closed_at > since
        ):
            return one.id
    return None


def cancelled_as(starts_at: datetime, now: datetime, policy: HallPolicy) -> State:
    """What cancelling now makes of a booking (AP-14): CANCELLED, or LATE_CANCEL in the last two hours.

    Raises `CancelTooLate` once the slot has begun.
    """
    if now >= starts_at:
        raise CancelTooLate()
    in_time = now <= starts_at - timedelta(minutes=policy.cancel_lead_minutes)
    return State.CANCELLED if in_time else State.LATE_CANCEL


def changed_as(starts_at: datetime, changes: int, now: datetime, policy: HallPolicy) -> Closing:
    """How a change closes the old booking (AP-13): the first is free. Raises `CancelTooLate` in the last two hours."""
    if cancelled_as(starts_at, now, policy) is not State.CANCELLED:
        raise CancelTooLate()
    return Closing.FREE_CHANGE if changes < policy.free_changes else Closing.CHANGE


class Arrival(StrEnum):
    """How somebody arrives."""

    ON_TIME = "ON_TIME"
    LATE = "LATE"


def arrival(starts_at: datetime, now: datetime, policy: HallPolicy) -> Arrival:
    """From 30 min before to 15 min after the start: on time (AP-16); to 60 min: late (AP-17).

    Raises `CheckinTooEarly` or `CheckinTooLate`.
    """
    opens = starts_at - timedelta(minutes=policy.check_in_early_minutes)
    if now < opens:
        raise CheckinTooEarly(opens=f"{clock.local(opens):%H:%M}", extra={"opens_at": clock.local(opens).isoformat()})
    if now <= starts_at + timedelta(minutes=policy.check_in_late_minutes):
        return Arrival.ON_TIME
    if now <= starts_at + timedelta(minutes=policy.check_in_last_minutes):
        return Arrival.LATE
    raise CheckinTooLate()


def missed_before(now: datetime, policy: HallPolicy) -> datetime:
    """Slots that began before this moment can't be checked in for any more (AP-17, AP-22)."""
    return now - timedelta(minutes=policy.check_in_last_minutes)


class Reminder(StrEnum):
    """The evening before, and two hours before."""

    EVENING = "EVENING"
    SOON = "SOON"


def evening_reminder_at(day: date, evening: time) -> datetime:
    """When the evening reminder of a booking on `day` is due: the day before."""
    return datetime.combine(day - timedelta(days=1), evening, clock.SHANGHAI)


def papers_text(papers: Sequence[str], language: str = "zh") -> str:
    """The papers to bring as one sentence, at most six named."""
    named = 6
    if not papers:
        return ""
    more = len(papers) > named
    if language == "en":
        return "Please bring: " + "; ".join(papers[:named]) + (f" and {len(papers) - named} more." if more else ".")
    return "请带：" + "、".join(papers[:named]) + (f"等{len(papers)}件。" if more else "。")
