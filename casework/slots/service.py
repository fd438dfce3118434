"""Making, taking and giving back bookable time. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Integer, bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from casework.places import queries as places
from casework.places import service as place_service
from casework.places.rules import Opening, check_periods, read_periods, special_days, written_periods
from casework.slots import queries, rules
from casework.slots.models import BookingPolicy, Slot, SlotDay, SlotPlan
from casework.slots.rules import HallPolicy, Planned
from core import audit, calendar, clock, jobs
from core.actors import Staff
from core.errors import Forbidden, InvalidInput

PROVISIONAL = "PROVISIONAL"
"""The cause of a day whose calendar isn't published: no slots rather than a guess (K-10)."""


def ensure_slots(session: Session, *, hall_id: UUID, zone_code: str, day: date) -> None:
    """Make the slots of one day as plan, hours, closures and calendar say now (AP-1, AP-2, AP-4); repeating it changes nothing.

    Slots that should no longer be there, or have grown smaller than what is booked, keep their bookings and take no new
    ones; the job `appointments.cancel_withdrawn` is queued when somebody must be moved (AP-15).
    """
    ensure_days(session, hall_id=hall_id, zone_codes=[zone_code], days=[day])


def ensure_days(session: Session, *, hall_id: UUID, zone_codes: Iterable[str], days: Iterable[date]) -> None:
    """`ensure_slots` for several zones and days of one hall at once."""
    wanted_days, zones = sorted(days), sorted(zone_codes)
    if not wanted_days:
        return
    policy = queries.policy(session, hall_id)
    openings = {opening.day: opening for opening in places.openings(session, hall_id, wanted_days[0], wanted_days[-1])}
    _note_days(session, hall_id, zones, [openings[day] for day in wanted_days])
    there = _locked(session, hall_id, zones, wanted_days)
    plans = {
        (plan.zone_code, plan.weekday): plan
        for plan in session.scalars(select(SlotPlan).where(SlotPlan.hall_id == hall_id))
    }
    new: list[dict[str, Any]] = []
    for zone_code in zones:
        windows = places.window_count(session, hall_id, zone_code)
        for day in wanted_days:
            old = there.get((zone_code, day), [])
            plan = plans.get((zone_code, day.isoweekday()))
            wanted = {slot.starts_at: slot for slot in _planned(openings[day], plan, policy, windows, old)}
            free_from = rules.reserved_until(day, policy, calendar.load(session))
            for slot in old:
                _resize(slot, wanted.pop(slot.starts_at, None), free_from)
            new += [_row(hall_id, zone_code, day, slot, free_from) for slot in wanted.values()]
    if new:
        session.execute(insert(Slot).on_conflict_do_nothing(), new)
    session.flush()
    moved = {slot.day for old in there.values() for slot in old if slot.used_minutes > slot.physical_minutes}
    for day in sorted(moved):
        _withdraw(session, hall_id, day)


def _note_days(session: Session, hall_id: UUID, zones: Sequence[str], openings: Sequence[Opening]) -> None:
    """Note what kind of days these are; a day whose calendar isn't published has no slots (K-10)."""
    made = insert(SlotDay)
    rows = [
        {"hall_id": hall_id, "zone_code": zone_code, "day": opening.day}
        | (
            {"cause": PROVISIONAL, "note": ""}
            if opening.provisional
            else {"cause": opening.cause, "note": opening.note}
        )
        for zone_code in zones
        for opening in openings
    ]
    session.execute(
        made.on_conflict_do_update(
            index_elements=[SlotDay.hall_id, SlotDay.zone_code, SlotDay.day],
            set_={"cause": made.excluded.cause, "note": made.excluded.note},
        ),
        rows,
    )


def _locked(
    session: Session, hall_id: UUID, zones: Sequence[str], days: Sequence[date]
) -> dict[tuple[str, date], list[Slot]]:
    """The slots that are there, by zone and day, locked in key order."""
    query = select(Slot).where(Slot.hall_id == hall_id, Slot.zone_code.in_(zones), Slot.day.in_(days))
    query = query.order_by(Slot.id).with_for_update().execution_options(populate_existing=True)
    found: dict[tuple[str, date], list[Slot]] = {}
    for slot in session.scalars(query):
        found.setdefault((slot.zone_code, slot.day), []).append(slot)
    return found


def _row(hall_id: UUID, zone_code: str, day: date, slot: Planned, free_from: datetime) -> dict[str, Any]:
    return {
        "hall_id": hall_id,
        "zone_code": zone_code,
        "day": day,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "planned_minutes": slot.minutes,
        "capacity_minutes": slot.minutes,
        "physical_minutes": slot.physical_minutes,
        "reserved_minutes": slot.reserved_minutes,
        "reserved_until": free_from,
    }


def _withdraw(session: Session, hall_id: UUID, day: date) -> None:
    on = day.isoformat()
    once = f"withdrawn:{hall_id}:{on}"
    jobs.defer(session, "appointments.cancel_withdrawn", once=once, hall_id=str(hall_id), day=on)


def _planned(
    opening: Opening, own: SlotPlan | None, policy: HallPolicy, all_windows: int, there: Sequence[Slot]
) -> tuple[Planned, ...]:
    """What the plan of this weekday gives. A day that is booked already keeps the length of its slots."""
    if opening.provisional:
        return ()
    periods, windows, length, percent = opening.periods, all_windows, policy.slot_minutes, policy.booking_percent
    if own is not None:
        windows = windows if own.windows is None else min(own.windows, windows)
        length = own.slot_minutes or length
        percent = percent if own.booking_percent is None else own.booking_percent
        if own.periods is not None:
            periods = rules.within(read_periods(own.periods), periods)
    booked = next((slot for slot in there if slot.used_minutes), None)
    if booked is not None:
        length = (booked.ends_at - booked.starts_at) // timedelta(minutes=1)
    return rules.plan(
        opening.day,
        periods,
        windows=windows,
        slot_minutes=length,
        percent=percent,
        reserved_percent=policy.reserved_percent,
    )


def _resize(slot: Slot, planned: Planned | None, reserved_until: datetime) -> None:
    """Fit a slot to its plan; what is booked stays booked."""
    if planned is None:
        slot.planned_minutes = slot.physical_minutes = slot.reserved_minutes = 0
    else:
        slot.ends_at = planned.ends_at
        slot.planned_minutes, slot.physical_minutes = planned.minutes, planned.physical_minutes
        slot.reserved_minutes, slot.reserved_until = planned.reserved_minutes, reserved_until
    slot.capacity_minutes = max(slot.planned_minutes, slot.used_minutes)


def remake(session: Session, *, hall_id: UUID, zone_codes: Sequence[str], days: Sequence[date] | None = None) -> None:
    """Make the days that were made before, from today on, afresh: the hall's hours or windows, or the calendar, have changed.

    `days`: only those of them.
    """
    made = (
        select(SlotDay.day)
        .distinct()
        .where(SlotDay.hall_id == hall_id, SlotDay.zone_code.in_(zone_codes), SlotDay.day >= clock.today())
    )
    if days is not None:
        made = made.where(SlotDay.day.in_(days))
    ensure_days(session, hall_id=hall_id, zone_codes=zone_codes, days=session.scalars(made))


def set_hours(
    session: Session,
    *,
    actor: Staff,
    day: date,
    periods: rules.Periods,
    reason: str,
    reason_en: str = "",
    until: date | None = None,
) -> None:
    """Close the manager's hall on a day, or open it at other hours, and move whoever had booked (AP-4, AP-15).

    With `until` the same holds for every day up to it. Raises `Forbidden` without a hall, `InvalidInput` (a past or far
    day, days out of order, overlapping periods, no reason).
    """
    hall_id = hall_of(actor)
    days = special_days(day, until, clock.today())
    for one in days:
        place_service.add_exception(
            session, actor=actor, hall_id=hall_id, day=one, periods=periods, reason=reason, reason_en=reason_en
        )
    ensure_days(
        session, hall_id=hall_id, zone_codes=places.zone_codes(session, hall_id), days=bookable(session, hall_id, days)
    )


def bookable(session: Session, hall_id: UUID, days: Iterable[date]) -> list[date]:
    """Those of `days` that may have bookings: made before, or near enough to be made now. Later ones are made every night."""
    near = rules.horizon(clock.now(), queries.policy(session, hall_id), calendar.load(session))
    made = session.scalar(select(func.max(SlotDay.day)).where(SlotDay.hall_id == hall_id))
    return [day for day in days if day <= max(near, made or near)]


def set_plan(
    session: Session,
    *,
    actor: Staff,
    zone_code: str,
    weekday: int,
    periods: rules.Periods | None,
    windows: int | None,
    slot_minutes: int | None,
    booking_percent: int | None,
) -> None:
    """Say what a zone of the manager's hall does on a weekday (AP-1), and make the days ahead that were made before afresh.

    None means: as the hall is open, as many windows as serve, as the policy says; more windows than serve are never planned
    with. Raises `Forbidden` without a hall,
    `InvalidInput` (no such zone here, periods that overlap or end before they begin).
    """
    hall_id = hall_of(actor)
    if zone_code not in places.zone_codes(session, hall_id):
        raise InvalidInput(fields={"zone_code": ["本大厅没有这个区 / this hall has no such zone"]})
    said = None if periods is None else check_periods(periods)
    values = {
        "periods": None if said is None else written_periods(said),
        "windows": windows,
        "slot_minutes": slot_minutes,
        "booking_percent": booking_percent,
    }
    plan = session.get(SlotPlan, (hall_id, zone_code, weekday))
    if plan is None:
        plan = SlotPlan(hall_id=hall_id, zone_code=zone_code, weekday=weekday)
        session.add(plan)
    before = {name: getattr(plan, name) for name in values}
    for name, value in values.items():
        setattr(plan, name, value)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="slots.set_plan",
        object_type="slot_plan",
        object_id=f"{hall_id}/{zone_code}/{weekday}",
        before=before,
        after=values,
    )
    made = session.scalars(
        select(SlotDay.day).where(
            SlotDay.hall_id == hall_id, SlotDay.zone_code == zone_code, SlotDay.day >= clock.today()
        )
    )
    ahead = [day for day in made if day.isoweekday() == weekday]
    ensure_days(session, hall_id=hall_id, zone_codes=[zone_code], days=ahead)


def set_policy(session: Session, *, actor: Staff, overrides: Mapping[str, Any]) -> HallPolicy:
    """Replace the numbers the manager's hall books by; those not named are as for all halls. Raises `InvalidInput`, `Forbidden`."""
    hall_id = hall_of(actor)
    HallPolicy().with_overrides(overrides)
    before = queries.policy(session, hall_id)
    write = insert(BookingPolicy).values(hall_id=hall_id, overrides=dict(overrides), changed_at=clock.now())
    session.execute(
        write.on_conflict_do_update(
            index_elements=[BookingPolicy.hall_id],
            set_={"overrides": write.excluded.overrides, "changed_at": write.excluded.changed_at},
        )
    )
    after = queries.policy(session, hall_id)
    audit.record(
        session,
        actor=actor,
        action="slots.set_policy",
        object_type="booking_policy",
        object_id=hall_id,
        before={"policy": str(before)},
        after={"policy": str(after)},
    )
    return after


def hall_of(actor: Staff) -> UUID:
    """The hall a member of staff works in. Raises `Forbidden` for one without."""
    if actor.hall_id is None:
        raise Forbidden()
    return actor.hall_id


def taking(*, entitled: bool) -> CTE:
    """The conditional UPDATE that takes minutes of a slot if they are there, as a CTE that then has one row (AP-9).

    Parameters: `take_slot`, `take_minutes`, `take_now`. The booking is inserted from it in the same statement, so that a full
    slot costs no lock and no write. `entitled` may use the reserve (AP-6).
    """
    minutes = bindparam("take_minutes", type_=Integer)
    left: ColumnElement[int] = Slot.planned_minutes - Slot.used_minutes
    if not entitled:
        unused_reserve = func.greatest(Slot.reserved_minutes - Slot.entitled_minutes, 0)
        left = left - case((Slot.reserved_until > bindparam("take_now"), unused_reserve), else_=0)
    values: dict[str, Any] = {"used_minutes": Slot.used_minutes + minutes}
    if entitled:
        values["entitled_minutes"] = Slot.entitled_minutes + minutes
    return (
        update(Slot)
        .where(Slot.id == bindparam("take_slot"), left >= minutes)
        .values(values)
        .returning(Slot.id)
        .cte("taken")
    )


def give_back(session: Session, slot_id: UUID, minutes: int, *, entitled: bool) -> None:
    """Free what a booking or a hold took."""
    used = Slot.used_minutes - minutes
    session.execute(
        update(Slot)
        .where(Slot.id == slot_id)
        .values(
            used_minutes=used,
            entitled_minutes=Slot.entitled_minutes - (minutes if entitled else 0),
            capacity_minutes=func.greatest(Slot.planned_minutes, used),
        )
        .execution_options(synchronize_session=False)
    )


def lock(session: Session, slot_ids: Iterable[UUID]) -> None:
    """Lock several slots in key order, before more than one of them changes in a transaction."""
    session.execute(select(Slot.id).where(Slot.id.in_(slot_ids)).order_by(Slot.id).with_for_update())
