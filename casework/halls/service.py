"""What the manager of a hall does. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from uuid import UUID

from sqlalchemy.orm import Session

from casework.appointments import queries as appointments
from casework.appointments.visit import service as visit
from casework.halls.rules import Closing
from casework.places import queries as places
from casework.places.managing import service as managing
from casework.places.rules import Periods, WindowKind, WindowState, special_days
from casework.slots import service as slots
from core import clock
from core.actors import Staff


def preview(
    session: Session, *, actor: Staff, day: date, periods: Periods, reason: str, until: date | None = None
) -> Closing:
    """What `slots.set_hours` with these hours would do to the bookings of the day, or the days; nothing is changed.

    It is done and undone, so that the answer is exact. Raises as `slots.set_hours`.
    """
    hall_id = slots.hall_of(actor)
    days = slots.bookable(session, hall_id, special_days(day, until, clock.today()))
    booked = sum(appointments.count_booked(session, hall_id, one) for one in days)
    with session.begin_nested() as trial:
        slots.set_hours(session, actor=actor, day=day, periods=periods, reason=reason, until=until)
        session.flush()
        moved = sum(len(visit.withdrawn(session, hall_id=hall_id, day=one)) for one in days)
        trial.rollback()
    session.expire_all()
    return Closing(booked, moved)


def reopen(session: Session, *, actor: Staff, day: date, until: date | None = None) -> None:
    """Take back what was said of a day, or of every day up to `until`: the week and the calendar hold again.

    Raises `Forbidden`, `NotFound` (nothing was said of any of them, or they are over), `InvalidInput`.
    """
    hall_id = slots.hall_of(actor)
    removed = managing.remove_exceptions(session, actor=actor, hall_id=hall_id, first=day, last=until or day)
    zones, days = places.zone_codes(session, hall_id), slots.bookable(session, hall_id, removed)
    slots.ensure_days(session, hall_id=hall_id, zone_codes=zones, days=days)


def set_week(session: Session, *, actor: Staff, edit: int, week: Mapping[int, Sequence[tuple[time, time]]]) -> None:
    """Replace the hours of the week, of the hall as it was at `edit`; the days ahead are made afresh.

    Raises `Forbidden`, `PreconditionFailed` (somebody changed it meanwhile), `InvalidInput` (periods that overlap).
    """
    hall_id = slots.hall_of(actor)
    managing.set_week(session, actor=actor, hall_id=hall_id, edit=edit, week=week)
    slots.remake(session, hall_id=hall_id, zone_codes=places.zone_codes(session, hall_id))


def set_window(
    session: Session,
    *,
    actor: Staff,
    window_id: UUID,
    edit: int,
    state: WindowState,
    kind: WindowKind,
    items: Sequence[str],
) -> None:
    """Open, pause or close a window of the hall and say what it takes; the days ahead of its zone are made afresh.

    Raises `Forbidden`, `NotFound` (also for another hall's), `PreconditionFailed`, `InvalidInput`.
    """
    hall_id = slots.hall_of(actor)
    zone_code = managing.set_window(
        session, actor=actor, hall_id=hall_id, window_id=window_id, edit=edit, state=state, kind=kind, items=items
    )
    slots.remake(session, hall_id=hall_id, zone_codes=[zone_code])
