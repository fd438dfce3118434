"""Reads of points. The position that somebody asks from goes to the index as parameters and nowhere else (P-1)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, column, select, text, union_all
from sqlalchemy.orm import Session

from casework.catalogue import queries as catalogue
from casework.catalogue.answers import queries as answers
from casework.catalogue.answers.queries import Revision
from casework.catalogue.elements import queries as elements
from casework.places import queries as places
from casework.places import rules as place_rules
from casework.places.models import HallException
from casework.places.points import rules
from casework.places.points.models import PointException, ServiceHours, ServicePoint
from casework.places.points.rules import Hours, Kind, Position
from casework.places.rules import Exceptional, Opening, Reach
from core import calendar, clock
from core.errors import InvalidInput, NotFound
from core.statements import Statement
from core.web import paging
from core.web.paging import Page

_SPARE, _MORE = 8, 4
_NO_LIMIT = 1_000_000
_COLUMNS = (
    "id, code, name, kind, hall_id, region_code, address, consult, accessible, latitude, longitude, hours_id, is_sample"
)
_POINTS = text(f"SELECT {_COLUMNS} FROM service_point WHERE NOT withdrawn")  # noqa: S608  # fixed text


@dataclass(frozen=True, slots=True)
class Wanted:
    """What narrows the points: within `radius` metres, of one kind, open now, taking an item."""

    radius: int | None = None
    kind: Kind | None = None
    open_now: bool = False
    item_id: str | None = None


class Point(NamedTuple):
    """A point as it is answered, where it is (GCJ-02), and its hours."""

    id: UUID
    answer: Mapping[str, Any]
    at: Position
    hours_id: UUID


class Near(NamedTuple):
    """A point, how far away it is in metres, when it is open today and whether it is now."""

    point: Point
    metres: int
    today: Opening
    open_now: bool


class _Today(NamedTuple):
    """The points by their codes, and when they are open today: by their hours, and those with an exception.

    `taking`: what was asked of items so far.
    """

    points: Mapping[str, Point]
    openings: Mapping[UUID, Opening]
    exceptional: Mapping[UUID, Opening]
    taking: dict[str, dict[str, Any]]


class _Kept:
    lock = threading.Lock()
    key: tuple[Engine | Connection, Revision, date] | None = None
    today = _Today({}, {}, {}, {})


def near(
    session: Session, at: Position, wanted: Wanted, now: datetime, *, cursor: str | None, limit: int
) -> Page[Near]:
    """The points by their distance from `at`, the nearest first; one query when nothing is asked of an item.

    What is known of a point is kept in the process and read again when the places change; the query only finds which.

    The index gives them by their distance on a flat map; those read beyond the page make sure that none is nearer on the
    sphere. Raises `InvalidInput` for a made-up cursor, and as `catalogue.item_in_force`.
    """
    today = _today(session, clock.local(now).date())
    last = _position(cursor) if cursor is not None else None
    flat = rules.within_map(at)
    conditions, values = _narrowed(session, wanted, today, now)
    if flat:
        values["x"], values["y"] = rules.on_map(at)
        if wanted.radius is not None:
            conditions.append(
                "point(east, north) <@ box(point(:x - :reach, :y - :reach), point(:x + :reach, :y + :reach))"
            )
            values["reach"] = wanted.radius / rules.LEAST
        if last is not None:
            conditions.append("point(east, north) <-> point(:x, :y) >= :beyond")
            values["beyond"] = max(0.0, (last[0] - 1) / rules.MOST)
    size = limit * 5 // 4 + _SPARE if flat else _NO_LIMIT
    while True:
        rows = _statement(tuple(conditions), size, flat=flat).alone(**values)
        found = _measured((today.points[code] for code, _ in rows if code in today.points), at, last, wanted.radius)
        complete = len(rows) < size
        sure = _NO_LIMIT if complete else int(rows[-1][1] * rules.LEAST)
        if complete or (len(found) > limit and found[limit][0] < sure):
            break
        size *= _MORE
    page = [Near(point, away, day := _opening(today, point), rules.open_at(day, now)) for away, point in found[:limit]]
    more = len(found) > limit
    return Page(page, paging.encode(f"{page[-1].metres} {page[-1].point.id}") if more else None)


@lru_cache(maxsize=500)
def _statement(conditions: tuple[str, ...], size: int, *, flat: bool) -> Statement:
    """Codes of points in the order of the map, as far as the map is flat; else all, to be sorted by their true distance."""
    where = " AND ".join(conditions)
    asked = f"SELECT code, 0.0 AS flat FROM service_point WHERE {where}"  # noqa: S608  # fixed texts
    if flat:
        asked = (
            f"SELECT code, point(east, north) <-> point(:x, :y) AS flat FROM service_point "  # noqa: S608
            f"WHERE {where} ORDER BY point(east, north) <-> point(:x, :y) LIMIT {size}"
        )
    return Statement(text(asked).columns(column("code"), column("flat")))


def _measured(
    points: Iterable[Point], at: Position, last: tuple[int, UUID] | None, radius: int | None
) -> list[tuple[int, Point]]:
    """The points within `radius`, after `last`, with their distances, the nearest first."""
    found = ((round(rules.metres(at, point.at)), point) for point in points)
    kept = [
        (away, point)
        for away, point in found
        if (radius is None or away <= radius) and (last is None or (away, point.id) > last)
    ]
    # Of equals the one with the lower key, which comes first in `Point`.
    return sorted(kept)


def _position(cursor: str) -> tuple[int, UUID]:
    away, _, point = paging.decode(cursor).partition(" ")
    try:
        return int(away), UUID(point)
    except ValueError as fault:
        raise InvalidInput(fields={"cursor": ["不是有效的翻页标记 / not a valid cursor"]}) from fault


def _narrowed(session: Session, wanted: Wanted, today: _Today, now: datetime) -> tuple[list[str], dict[str, Any]]:
    conditions, values = ["NOT withdrawn"], dict[str, Any]()
    if wanted.kind is not None:
        conditions.append("kind = :kind")
        values["kind"] = wanted.kind.value
    if wanted.open_now:
        conditions.append("(hours_id = ANY(:open) AND id <> ALL(:exceptional) OR id = ANY(:opened))")
        values["open"] = _open(today.openings, now)
        values["exceptional"] = list(today.exceptional)
        values["opened"] = _open(today.exceptional, now)
    if wanted.item_id is not None:
        conditions.append(_TAKES)
        if wanted.item_id not in today.taking:
            today.taking[wanted.item_id] = _taking(session, wanted.item_id, clock.local(now).date())
        values |= today.taking[wanted.item_id]
    return conditions, values


def _open(openings: Mapping[UUID, Opening], now: datetime) -> list[UUID]:
    return [key for key, found in openings.items() if rules.open_at(found, now)]


_TAKES = """(hall_id = ANY(:halls) OR NOT :reserved AND (CAST(:region AS text) IS NULL OR region_code = :region)
 AND (zone_codes @> CAST(:zone AS jsonb) OR item_ids @> CAST(:item AS jsonb)))"""


def _taking(session: Session, item_id: str, day: date) -> dict[str, Any]:
    """What says whether a point takes the item (S12, S13).

    Halls by their windows; others by zone and item, in the item's district unless it is handled citywide, and none when
    it is reserved to the city.
    """
    item = catalogue.item_in_force(session, item_id, day)
    where = places.handled(session, item, elements.elements(session, item.version_id).serve_scope)
    return {
        "halls": [hall.id for hall in places.halls_for_item(session, item_id)],
        "reserved": where.reach is Reach.CITY_ONLY,
        "region": where.region_code,
        "zone": f'["{item.zone_code}"]',
        "item": f'["{item_id}"]',
    }


def _opening(today: _Today, point: Point) -> Opening:
    return today.exceptional.get(point.id) or today.openings[point.hours_id]


def _today(session: Session, day: date) -> _Today:
    """The points and when they are open today, read once for each revision of the catalogue and places."""
    key = (session.get_bind(), answers.revision(session), day)
    with _Kept.lock:
        if _Kept.key == key:
            return _Kept.today
    days = calendar.load(session)
    hours = {row.id: _hours(row) for row in session.scalars(select(ServiceHours))}
    openings = {key: rules.opening(day, days, found, None) for key, found in hours.items()}
    exceptional = {
        row.id: rules.opening(day, days, hours[row.hours_id], _exceptional(row))
        for row in session.execute(_EXCEPTIONS, {"first": day, "last": day})
    }
    points = {
        row.code: Point(row.id, point_answer(row), Position(row.latitude, row.longitude), row.hours_id)
        for row in session.execute(_POINTS)
        if row.hours_id in openings
    }
    with _Kept.lock:
        _Kept.key, _Kept.today = key, _Today(points, openings, exceptional, {})
        return _Kept.today


def _hours(row: ServiceHours) -> Hours:
    return Hours(
        {int(weekday): place_rules.read_periods(periods) for weekday, periods in row.week.items()}, row.rest_days
    )


def _exceptional(row: Any) -> Exceptional:
    return Exceptional(place_rules.read_periods(row.periods), row.reason, row.reason_en)


_EXCEPTIONS = text(
    "SELECT p.id, p.hours_id, e.day, e.periods, e.reason, e.reason_en FROM point_exception e "
    "JOIN service_point p ON p.id = e.point_id WHERE e.day BETWEEN :first AND :last UNION ALL "
    "SELECT p.id, p.hours_id, e.day, e.periods, e.reason, e.reason_en FROM hall_exception e "
    "JOIN service_point p ON p.hall_id = e.hall_id WHERE e.day BETWEEN :first AND :last"
)


def near_answer(found: Near, language: str) -> dict[str, Any]:
    """A point near by, as it is answered."""
    return {
        **found.point.answer,
        "distance_m": found.metres,
        "open_now": found.open_now,
        "today": _opening_answer(found.today, language),
    }


_opening_answer = lru_cache(maxsize=1_000)(places.opening_answer)


def point_answer(row: Row[Any]) -> dict[str, Any]:
    """A point as it is answered; the coordinates are GCJ-02."""
    return {
        "id": str(row.id),
        "code": row.code,
        "name": row.name,
        "kind": row.kind,
        "hall_id": str(row.hall_id) if row.hall_id else None,
        "region_code": row.region_code,
        "address": row.address,
        "consult": row.consult,
        "accessible": row.accessible,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "is_sample": row.is_sample,
    }


def point_detail(session: Session, point_id: UUID, today: date, language: str) -> dict[str, Any]:
    """A point with its hours, today, the next open day and what it takes. Raises `NotFound`."""
    found = session.execute(select(*ServicePoint.__table__.c).where(ServicePoint.id == point_id)).one_or_none()
    if found is None or found.withdrawn:
        raise NotFound()
    hours = _hours(session.get_one(ServiceHours, found.hours_id))
    exceptions = _own_exceptions(session, found, today, today + timedelta(days=place_rules.SEARCH_DAYS))
    days = calendar.load(session)
    ahead = (today + timedelta(days=offset) for offset in range(1, place_rules.SEARCH_DAYS + 1))
    openings = (rules.opening(day, days, hours, exceptions.get(day)) for day in ahead)
    following = next((opening for opening in openings if opening.open), None)
    return point_answer(found) | {
        "coordinate_system": "GCJ-02",
        "hours": [
            {"weekday": weekday, "periods": places.periods_answer(periods)} for weekday, periods in hours.week.items()
        ],
        "open_on_rest_days": hours.rest_days,
        "today": places.opening_answer(rules.opening(today, days, hours, exceptions.get(today)), language),
        "next_open": places.opening_answer(following, language) if following else None,
        "zones": found.zone_codes,
        "items": found.item_ids,
    }


def _own_exceptions(session: Session, point: Row[Any], first: date, last: date) -> dict[date, Exceptional]:
    columns = ("day", "periods", "reason", "reason_en")
    own = select(*(getattr(PointException, name) for name in columns)).where(
        PointException.point_id == point.id, PointException.day.between(first, last)
    )
    halls = select(*(getattr(HallException, name) for name in columns)).where(
        HallException.hall_id == point.hall_id, HallException.day.between(first, last)
    )
    return {row.day: _exceptional(row) for row in session.execute(union_all(own, halls))}
