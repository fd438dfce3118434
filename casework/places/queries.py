"""Reads of places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue.answers.queries import position
from casework.catalogue.elements import queries as elements
from casework.catalogue.elements.rules import ServeScope
from casework.catalogue.lookups import queries as lookups
from casework.catalogue.rules import SAMPLE_NOTICE, Item
from casework.catalogue.search.service import CITY
from casework.places import rules
from casework.places.models import HallException, HallHours, HallZone, ServiceHall, ServiceWindow, WindowItem
from casework.places.points.models import ItemScope
from casework.places.rules import (
    Exceptional,
    Hall,
    Handled,
    Level,
    Opening,
    Periods,
    Reach,
    WindowKind,
    WindowState,
)
from core import calendar, clock
from core.errors import NotFound
from core.web import paging
from core.web.paging import Page


def _hall(row: ServiceHall) -> Hall:
    return Hall(row.id, row.code, row.name, Level(row.level), row.region_code, row.address, row.consult, row.is_sample)


def hall(session: Session, hall_id: UUID) -> Hall:
    """The hall. Raises `NotFound`."""
    found = session.get(ServiceHall, hall_id)
    if found is None:
        raise NotFound()
    return _hall(found)


def hall_names(session: Session, hall_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Key → name of these halls."""
    rows = session.execute(select(ServiceHall.id, ServiceHall.name).where(ServiceHall.id.in_(hall_ids)))
    return {row.id: row.name for row in rows}


def hall_by_code(session: Session, code: str) -> Hall:
    """The hall with this code, such as NB-CITY. Raises `NotFound`."""
    found = session.scalar(select(ServiceHall).where(ServiceHall.code == code))
    if found is None:
        raise NotFound()
    return _hall(found)


def hall_ids(session: Session) -> list[UUID]:
    """The keys of all halls in their order, the city's first."""
    return list(session.scalars(select(ServiceHall.id).order_by(ServiceHall.position, ServiceHall.code)))


def zone_codes(session: Session, hall_id: UUID) -> list[str]:
    """The zones that the hall has, in order; none for an unknown hall."""
    return list(
        session.scalars(select(HallZone.zone_code).where(HallZone.hall_id == hall_id).order_by(HallZone.zone_code))
    )


def halls(
    session: Session, *, region: str | None, level: str | None, item_id: str | None, cursor: str | None, limit: int
) -> Page[Hall]:
    """The halls in their order, the city's first; those that take an item, if one is named.

    `region` 330200 is the whole city. Raises `InvalidInput` for a region there isn't and for a made-up cursor, and as
    `catalogue.item_in_force`.
    """
    query = select(ServiceHall).order_by(ServiceHall.position, ServiceHall.code).limit(limit + 1)
    if region is not None and region != CITY:
        lookups.check(session, region=region)
        query = query.where(ServiceHall.region_code == region)
    if level is not None:
        query = query.where(ServiceHall.level == level)
    if item_id is not None:
        query = query.where(ServiceHall.id.in_(_serving(session, item_id)))
    if cursor is not None:
        query = query.where(tuple_(ServiceHall.position, ServiceHall.code) > tuple_(*position(cursor)))
    found = list(session.scalars(query))
    more = len(found) > limit
    return Page(
        [_hall(row) for row in found[:limit]],
        paging.encode(f"{found[limit - 1].position} {found[limit - 1].code}") if more else None,
    )


def halls_for_item(session: Session, item_id: str) -> list[Hall]:
    """The halls with an open window that takes the item as it is in force today, where it is handled (S12, S13).

    Raises as `catalogue.item_in_force`.
    """
    query = select(ServiceHall).where(ServiceHall.id.in_(_serving(session, item_id)))
    return [_hall(found) for found in session.scalars(query.order_by(ServiceHall.position, ServiceHall.code))]


def _serving(session: Session, item_id: str) -> Select[UUID]:
    return select(ServiceWindow.hall_id).where(ServiceWindow.state == WindowState.OPEN, *_taking(session, item_id))


def _taking(session: Session, item_id: str) -> list[ColumnElement[bool]]:
    """The conditions on windows that take the item as it is in force today, in halls where it is handled."""
    item = catalogue.item_in_force(session, item_id, clock.today())
    where = handled(session, item, elements.elements(session, item.version_id).serve_scope)
    takes = or_(
        and_(ServiceWindow.kind == WindowKind.COMBINED, ServiceWindow.zone_code == item.zone_code),
        ServiceWindow.id.in_(select(WindowItem.window_id).where(WindowItem.item_id == item_id)),
    )
    if where.reach is Reach.CITY_ONLY:
        there = ServiceHall.level == Level.CITY
    elif where.region_code is not None:
        there = and_(ServiceHall.region_code == where.region_code, ServiceHall.level != Level.CITY)
    else:
        return [takes]
    return [takes, ServiceWindow.hall_id.in_(select(ServiceHall.id).where(there))]


def handled(session: Session, item: Item, serve_scope: ServeScope) -> Handled:
    """Where the item is handled; `serve_scope` is the one of its elements. One query."""
    own = ItemScope.item_id == item.item_id
    found = session.execute(
        select(
            select(ItemScope.scope).where(own).scalar_subquery().label("scope"),
            select(ItemScope.reserved_to_city).where(own).scalar_subquery().label("reserved"),
            lookups.region_named(item.authority).label("region_code"),
        )
    ).one()
    return rules.handled(
        scope=found.scope,
        reserved=bool(found.reserved),
        elsewhere=serve_scope is not ServeScope.UNSAID,
        region_code=found.region_code,
    )


def handled_answer(found: Handled, language: str) -> dict[str, Any]:
    """It as it is answered."""
    zh, en = rules.REACHES[found.reach]
    return {"reach": found.reach, "region_code": found.region_code, "text": en if language == "en" else zh}


def window_count(session: Session, hall_id: UUID, zone_code: str) -> int:
    """How many windows of the zone serve in this hall (AP-1, AP-2)."""
    return (
        session.scalar(
            select(func.count()).where(
                ServiceWindow.hall_id == hall_id,
                ServiceWindow.zone_code == zone_code,
                ServiceWindow.state == WindowState.OPEN,
            )
        )
        or 0
    )


def opening(session: Session, hall_id: UUID, day: date) -> Opening:
    """When the hall is open on `day`, and why if that is out of the ordinary (AP-4). Unknown halls are never open."""
    exceptions = _exceptions(session, hall_id, day, day)
    return rules.opening(day, calendar.load(session), _week(session, hall_id), exceptions.get(day))


def openings(session: Session, hall_id: UUID, first: date, last: date) -> list[Opening]:
    """`opening` of every day from `first` to `last`, both included, in two queries."""
    exceptions, week, days = _exceptions(session, hall_id, first, last), _week(session, hall_id), calendar.load(session)
    wanted = (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
    return [rules.opening(day, days, week, exceptions.get(day)) for day in wanted]


def open_periods(session: Session, hall_id: UUID, day: date) -> Periods:
    """The periods in which the hall is open on `day`, times of Shanghai; none when it is closed (AP-4)."""
    return opening(session, hall_id, day).periods


def _week(session: Session, hall_id: UUID) -> dict[int, Periods]:
    rows = session.execute(
        select(HallHours.weekday, HallHours.opens, HallHours.closes)
        .where(HallHours.hall_id == hall_id)
        .order_by(HallHours.weekday, HallHours.opens)
    )
    week: dict[int, Periods] = {}
    for weekday, opens, closes in rows:
        week[weekday] = (*week.get(weekday, ()), (opens, closes))
    return week


def _exceptions(session: Session, hall_id: UUID, first: date, last: date) -> dict[date, Exceptional]:
    rows = session.execute(
        select(HallException.day, HallException.periods, HallException.reason, HallException.reason_en).where(
            HallException.hall_id == hall_id, HallException.day.between(first, last)
        )
    )
    return {
        day: Exceptional(rules.read_periods(periods), reason, reason_en) for day, periods, reason, reason_en in rows
    }


def hall_detail(
    session: Session, hall_id: UUID, today: date, language: str, *, item_id: str | None = None
) -> dict[str, Any]:
    """A hall with zones, windows, hours, today and the next open day, as a ready-made answer.

    With an item: only the windows that take it, and whether one of them is open. Raises `NotFound`, and as
    `catalogue.item_in_force`.
    """
    found = hall(session, hall_id)
    zones = _zones(session, hall_id, [] if item_id is None else _taking(session, item_id))
    serving = any(window["state"] == WindowState.OPEN for zone in zones for window in zone["windows"])
    week = _week(session, hall_id)
    exceptions = _exceptions(session, hall_id, today, today + timedelta(days=rules.SEARCH_DAYS))
    days = calendar.load(session)
    following = rules.next_open(today, days, week, exceptions)
    return hall_answer(found) | {
        "takes_item": None if item_id is None else serving,
        "zones": zones,
        "hours": [{"weekday": weekday, "periods": periods_answer(periods)} for weekday, periods in week.items()],
        "today": opening_answer(rules.opening(today, days, week, exceptions.get(today)), language),
        "next_open": opening_answer(following, language) if following else None,
        "notice": SAMPLE_NOTICE[language] if found.is_sample else None,
    }


def _zones(session: Session, hall_id: UUID, taking: Sequence[ColumnElement[bool]]) -> list[dict[str, Any]]:
    special = (
        select(func.array_agg(WindowItem.item_id))
        .where(WindowItem.window_id == ServiceWindow.id)
        .correlate(ServiceWindow)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            HallZone.zone_code,
            HallZone.area,
            ServiceWindow.id,
            ServiceWindow.code,
            ServiceWindow.name,
            ServiceWindow.kind,
            ServiceWindow.state,
            special.label("items"),
        )
        .join(
            ServiceWindow,
            and_(ServiceWindow.hall_id == HallZone.hall_id, ServiceWindow.zone_code == HallZone.zone_code),
        )
        .where(HallZone.hall_id == hall_id, *taking)
        .order_by(HallZone.zone_code, ServiceWindow.code)
    )
    names = lookups.zone_names(session)
    zones: dict[str, dict[str, Any]] = {}
    for row in rows:
        empty = {"code": row.zone_code, "name": names[row.zone_code], "area": row.area, "windows": []}
        zone = zones.setdefault(row.zone_code, empty)
        zone["windows"].append(
            {
                "id": str(row.id),
                "code": row.code,
                "name": row.name,
                "kind": row.kind,
                "state": row.state,
                "items": sorted(row.items or []),
            }
        )
    return list(zones.values())


def hall_answer(found: Hall) -> dict[str, Any]:
    """A hall as it is answered."""
    return {
        "id": str(found.id),
        "code": found.code,
        "name": found.name,
        "level": found.level,
        "region_code": found.region_code,
        "address": found.address,
        "consult": found.consult,
        "is_sample": found.is_sample,
    }


def opening_answer(found: Opening, language: str) -> dict[str, Any]:
    """One day of a hall as it is answered; `provisional` days may still become holidays (K-10)."""
    return {
        "day": found.day.isoformat(),
        "open": found.open,
        "periods": periods_answer(found.periods),
        "reason": found.cause,
        "reason_text": rules.cause_text(found, language),
        "provisional": found.provisional,
    }


def periods_answer(periods: Iterable[tuple[time, time]]) -> list[dict[str, str]]:
    """Periods as they are answered: "09:00" in Shanghai; the end of the day is "24:00"."""
    return [{"opens": opens, "closes": closes} for opens, closes in rules.written_periods(periods)]
