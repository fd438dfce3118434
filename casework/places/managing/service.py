"""Changing hours, windows and exceptions. Which hall is the actor's is for the caller to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue.answers import service as answers
from casework.catalogue.errors import ItemNotInForce, PreconditionFailed
from casework.places import rules
from casework.places.models import HallException, HallHours, ServiceHall, ServiceWindow, WindowItem
from casework.places.points import service as points
from casework.places.rules import WindowKind, WindowState
from core import audit, clock
from core.actors import Staff
from core.errors import InvalidInput, NotFound


def remove_exceptions(session: Session, *, actor: Staff, hall_id: UUID, first: date, last: date) -> list[date]:
    """Forget what was said of days from `first` to `last` that aren't over; returns them. Raises `NotFound` when there are none."""
    found = session.scalars(
        select(HallException)
        .where(
            HallException.hall_id == hall_id, HallException.day.between(first, last), HallException.day >= clock.today()
        )
        .order_by(HallException.day)
        .with_for_update()
    ).all()
    if not found:
        raise NotFound()
    for one in found:
        before = {"periods": one.periods, "reason": one.reason, "reason_en": one.reason_en}
        session.delete(one)
        _record(session, actor, "places.remove_exception", ("hall", hall_id), before, None, day=one.day.isoformat())
    session.flush()
    answers.touch(session)
    return [one.day for one in found]


def set_week(
    session: Session, *, actor: Staff, hall_id: UUID, edit: int, week: Mapping[int, Sequence[tuple[time, time]]]
) -> None:
    """Replace the hours of the week (1 = Monday). Raises `NotFound`, `PreconditionFailed`, `InvalidInput`."""
    hall = session.get(ServiceHall, hall_id, with_for_update=True, populate_existing=True)
    if hall is None:
        raise NotFound()
    _check_edit(hall.edit, edit)
    rows = [
        {"hall_id": hall_id, "weekday": weekday, "opens": opens, "closes": closes}
        for weekday, periods in sorted(week.items())
        for opens, closes in rules.check_periods(periods)
    ]
    present = session.scalars(
        select(HallHours).where(HallHours.hall_id == hall_id).order_by(HallHours.weekday, HallHours.opens)
    )
    before = [_spoken(row.weekday, row.opens, row.closes) for row in present]
    session.execute(delete(HallHours).where(HallHours.hall_id == hall_id))
    if rows:
        session.execute(insert(HallHours), rows)
    hall.edit += 1
    session.flush()
    session.expire_all()
    points.follow_hours(session, hall_id)
    answers.touch(session)
    after = [_spoken(row["weekday"], row["opens"], row["closes"]) for row in rows]
    _record(session, actor, "places.set_week", ("hall", hall_id), {"hours": before}, {"hours": after})


def _spoken(weekday: Any, opens: Any, closes: Any) -> str:
    return f"{weekday} {rules.written_time(opens)}-{rules.written_time(closes)}"


def set_window(
    session: Session,
    *,
    actor: Staff,
    hall_id: UUID,
    window_id: UUID,
    edit: int,
    state: WindowState,
    kind: WindowKind,
    items: Sequence[str],
) -> str:
    """Open, pause or close a window and say what it takes; returns its zone.

    A COMBINED window takes every item of its zone, a SPECIAL one those of `items`, which must be of its zone and in force.
    Raises `NotFound`, `PreconditionFailed`, `InvalidInput`.
    """
    window = session.get(ServiceWindow, window_id, with_for_update=True, populate_existing=True)
    if window is None or window.hall_id != hall_id:
        raise NotFound()
    _check_edit(window.edit, edit)
    _check_items(session, window.zone_code, kind, items)
    taken = session.scalars(select(WindowItem.item_id).where(WindowItem.window_id == window_id))
    before = {"state": window.state, "kind": window.kind, "items": sorted(taken)}
    session.execute(delete(WindowItem).where(WindowItem.window_id == window_id))
    if items:
        session.execute(insert(WindowItem), [{"window_id": window_id, "item_id": item} for item in sorted(items)])
    window.state, window.kind, window.edit = state.value, kind.value, window.edit + 1
    session.flush()
    answers.touch(session)
    after = {"state": state.value, "kind": kind.value, "items": sorted(items)}
    _record(session, actor, "places.set_window", ("service_window", window_id), before, after)
    return window.zone_code


def _check_edit(now: int, read: int) -> None:
    if now != read:
        raise PreconditionFailed(extra={"edit": now})


def _check_items(session: Session, zone_code: str, kind: WindowKind, items: Sequence[str]) -> None:
    if (kind is WindowKind.SPECIAL) != bool(items):
        raise InvalidInput(fields={"items": ["专窗须列出事项，综合窗口不列 / only a special window lists its items"]})
    if len(set(items)) < len(items):
        raise InvalidInput(fields={"items": ["事项重复 / an item is listed twice"]})
    for item_id in items:
        try:
            zone = catalogue.item_in_force(session, item_id, clock.today()).zone_code
        except (ItemNotInForce, NotFound):
            zone = ""
        if zone != zone_code:
            raise InvalidInput(fields={"items": [f"{item_id}：不是本区有效事项 / not an item of this zone in force"]})


def _record(
    session: Session,
    actor: Staff,
    action: str,
    what: tuple[str, UUID],
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    **facts: str,
) -> None:
    kind, key = what
    audit.record(
        session, actor=actor, action=action, object_type=kind, object_id=key, before=before, after=after, **facts
    )
