"""What a hall offers: the days and slots with the places left, and the reason where there are none (AP-5, AP-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from casework.appointments import queries
from casework.places.rules import Cause, Opening, cause_text
from casework.slots import rules as slot_rules
from casework.slots.queries import DayRow, SlotRow
from casework.slots.rules import HallPolicy
from casework.slots.service import PROVISIONAL
from core import calendar, clock


@dataclass(frozen=True, slots=True)
class Offer:
    """What one hall offers for an item: `minutes` a booking takes, and the days."""

    hall_id: UUID
    zone_code: str
    minutes: int
    now: datetime
    policy: HallPolicy
    last_released: date
    days: list[DayRow]


def days_of(
    session: Session,
    *,
    hall_id: UUID,
    zone_code: str,
    minutes: int,
    first: date,
    last: date,
    policy: HallPolicy,
    now: datetime,
) -> Offer:
    """The days `first`..`last` that were made, with the places left, in one query."""
    days = queries.READ_SLOTS.days(session, hall_id, zone_code, first, last, now)
    last_released = slot_rules.last_released_day(now, policy, calendar.load(session))
    return Offer(hall_id, zone_code, minutes, now, policy, last_released, days)


def answer(session: Session, found: Offer, language: str) -> dict[str, Any]:
    """The offer as it is answered, made by hand: a page of slots is on the hot path."""
    return {
        "hall_id": str(found.hall_id),
        "zone_code": found.zone_code,
        "minutes": found.minutes,
        "days": [_day_answer(session, found, day, language) for day in found.days],
    }


_REASONS = {
    PROVISIONAL: ("当年节假日安排尚未公布，暂不放号", "The year's holidays are not announced yet"),
    "NOT_RELEASED": ("尚未放号，工作日 {at} 放出新的一天", "Not released yet; a new day opens at {at} on working days"),
    "SAME_DAY": ("当天不能网上预约，可到现场取号", "No booking on the same day; walk-in is possible"),
    "FULL": ("已约满", "Fully booked"),
    "CLOSED": ("不办公", "Closed"),
}


def _day_answer(session: Session, found: Offer, day: DayRow, language: str) -> dict[str, Any]:
    slots_ = [_slot_answer(session, found, slot) for slot in day.slots]
    reason = _reason(found, day, any(slot["places"] for slot in slots_))
    return {
        "day": day.day.isoformat(),
        "open": bool(day.slots),
        "reason": reason,
        "reason_text": _reason_text(found, reason, day, language),
        "slots": [] if reason == "NOT_RELEASED" else slots_,
    }


def _reason(found: Offer, day: DayRow, any_left: bool) -> str | None:
    """Why nothing can be booked on this day, or None."""
    if not day.slots:
        return day.cause or "CLOSED"
    if day.day > found.last_released:
        return "NOT_RELEASED"
    if any_left:
        return None
    return "SAME_DAY" if day.day == clock.local(found.now).date() and not found.policy.same_day else "FULL"


def _reason_text(found: Offer, reason: str | None, day: DayRow, language: str) -> str:
    if reason is None:
        return ""
    if reason in _REASONS:
        zh, en = _REASONS[reason]
        return (en if language == "en" else zh).format(at=f"{found.policy.release_at:%H:%M}")
    return cause_text(Opening(day.day, (), Cause(reason), day.note, False), language)


def _slot_answer(session: Session, found: Offer, slot: SlotRow) -> dict[str, Any]:
    bookable = slot_rules.is_released(slot.starts_at, found.now, found.policy, calendar.load(session))
    return {
        "id": str(slot.id),
        "starts_at": clock.local(slot.starts_at).isoformat(timespec="seconds"),
        "ends_at": clock.local(slot.ends_at).isoformat(timespec="seconds"),
        "places": _places(found, slot, entitled=False) if bookable else 0,
        "reserved_places": _places(found, slot, entitled=True) if bookable else 0,
    }


def _places(found: Offer, slot: SlotRow, *, entitled: bool) -> int:
    return slot_rules.places(slot.room, found.now, found.minutes, entitled=entitled)
