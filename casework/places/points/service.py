"""What is done to points: importing them, and keeping the rows of halls as their halls are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson
from marshmallow.validate import Equal, Length, OneOf, Range, Regexp
from sqlalchemy import Uuid, any_, delete, literal, select, update
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from casework.catalogue.answers import service as answers
from casework.catalogue.importing.faults.rules import Fault, Place, shape
from casework.catalogue.importing.records.queries import known_items
from casework.catalogue.importing.service import upsert
from casework.catalogue.lookups import queries as lookups
from casework.places import rules as places
from casework.places.keeping import service as keeping
from casework.places.keeping.rules import merge
from casework.places.models import HallHours, ServiceHall
from casework.places.points import rules
from casework.places.points.models import ItemScope, PointException, ServiceHours, ServicePoint
from casework.places.points.rules import Kind, Position, Scope
from casework.places.ports import period
from core.errors import InvalidInput

_BATCH = 1_000


class _Hours(ma.Schema):
    weekdays = ma.fields.List(ma.fields.Integer(strict=True, validate=Range(1, 7)), required=True)
    periods = ma.fields.List(period(), required=True)


class _Exception(ma.Schema):
    day = ma.fields.Date(required=True)
    periods = ma.fields.List(period(), required=True)
    reason = ma.fields.String(required=True, validate=Length(1, 200))
    reason_en = ma.fields.String(load_default="", validate=Length(0, 200))


class _Point(ma.Schema):
    code = ma.fields.String(required=True, validate=Regexp(r"\A[A-Z0-9-]{1,40}\Z"))
    name = ma.fields.String(required=True, validate=Length(1, 200))
    kind = ma.fields.String(required=True, validate=OneOf([str(kind) for kind in Kind if kind is not Kind.HALL]))
    region_code = ma.fields.String(required=True)
    address = ma.fields.String(required=True, validate=Length(1, 500))
    latitude = ma.fields.Float(required=True, validate=Range(rules.SOUTH, rules.NORTH))
    longitude = ma.fields.Float(required=True, validate=Range(rules.WEST, rules.EAST))
    phone = ma.fields.String(required=True, validate=Length(0, 200))
    accessible = ma.fields.Boolean(required=True, allow_none=True)
    sample = ma.fields.Boolean(required=True)
    hours = ma.fields.List(ma.fields.Nested(_Hours), required=True)
    open_on_rest_days = ma.fields.Boolean(load_default=None)
    zones = ma.fields.List(ma.fields.String(validate=Length(1, 10)), load_default=list)
    items = ma.fields.List(ma.fields.String(validate=Length(1, 64)), load_default=list)
    exceptions = ma.fields.List(ma.fields.Nested(_Exception), load_default=list)
    withdrawn = ma.fields.Boolean(load_default=False)


class _Scope(ma.Schema):
    item_id = ma.fields.String(required=True)
    scope = ma.fields.String(required=True, validate=OneOf([str(scope) for scope in Scope]))
    reserved_to_city = ma.fields.Boolean(load_default=False)


class _Points(ma.Schema):
    schema_version = ma.fields.String(required=True, validate=Equal("1.0"))
    disclaimer = ma.fields.String(load_default="")
    coordinate_system = ma.fields.String(required=True, validate=Equal("GCJ-02"))
    points = ma.fields.List(ma.fields.Nested(_Point), required=True)
    item_scopes = ma.fields.List(ma.fields.Nested(_Scope), load_default=list)


@dataclass(frozen=True, slots=True)
class PointsReport:
    """Points in the document, how many rows differed, and the faults (then nothing was written)."""

    points: int
    changed: int
    faults: tuple[Fault, ...]


def import_points(session: Session, document: Mapping[str, Any], *, overwrite: bool = False) -> PointsReport:
    """Write the points of `document` (GCJ-02); the same twice changes nothing. Points it doesn't name stay as they are.

    What was edited here since the last import stays, unless the document says something new of it: that is a fault, or
    with `overwrite` the document wins. Exceptions replace those of the named points. Regions and items must be in the
    catalogue.
    """
    try:
        found = _Points().load(document)
    except ma.ValidationError as wrong:
        return PointsReport(0, 0, tuple(_flat("", wrong.messages)))
    faults = [*_faults(found["points"]), *_references(session, found)]
    if faults:
        return PointsReport(0, 0, tuple(faults))
    hours = {row["id"]: row for row in map(_hours_of, found["points"])}
    rows, conflicts = _merged(session, found["points"], overwrite=overwrite)
    if conflicts:
        return PointsReport(0, 0, tuple(conflicts))
    changed = _write(session, hours, rows) + _write_exceptions(session, found["points"])
    keeping.remember(session, {rules.point_id(point["code"]): _said(point) for point in found["points"]})
    if found["item_scopes"]:
        changed += upsert(session, ItemScope, found["item_scopes"])
    if changed:
        answers.touch(session)
    return PointsReport(len(found["points"]), changed, ())


def _flat(path: str, messages: Any) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(f"{path}.{key}" if path else str(key), inner)
    else:
        for message in messages:
            yield shape(path, str(message), _place(path))


def _place(path: str) -> Place:
    """Which entry of which list, counted from 1, and which field of it."""
    name, _, rest = path.partition(".")
    number, _, inner = rest.partition(".")
    return Place(name, int(number) + 1, inner.partition(".")[0]) if number.isdecimal() else Place()


def _fault(path: str, code: str, **params: Any) -> Fault:
    return Fault(path, code, params, _place(path))


def _faults(points: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    codes = Counter(point["code"] for point in points)
    seen: set[str] = set()
    for i, point in enumerate(points):
        if point["code"] in seen:
            yield _fault(f"points.{i}.code", "TWICE", name=point["code"], count=codes[point["code"]])
        seen.add(point["code"])
        weekdays = [weekday for hours in point["hours"] for weekday in hours["weekdays"]]
        days = [exception["day"] for exception in point["exceptions"]]
        for name, told in (("hours", weekdays), ("exceptions", days)):
            for day, count in Counter(told).items():
                if count > 1:
                    yield _fault(f"points.{i}.{name}", "TWICE", name=day, count=count)
            for j, said in enumerate(point[name]):
                try:
                    places.check_periods(said["periods"])
                except InvalidInput:
                    yield _fault(f"points.{i}.{name}.{j}.periods", "PERIODS")


def _references(session: Session, found: Mapping[str, Any]) -> Iterator[Fault]:
    """Regions, zones and items that aren't in the catalogue."""
    regions = {region["code"] for region in lookups.regions(session)}
    zones = lookups.zone_names(session)
    named = [
        (f"points.{i}.items.{j}", item)
        for i, point in enumerate(found["points"])
        for j, item in enumerate(point["items"])
    ] + [(f"item_scopes.{i}.item_id", scope["item_id"]) for i, scope in enumerate(found["item_scopes"])]
    known = known_items(session, {item for _, item in named})
    for i, point in enumerate(found["points"]):
        if point["region_code"] not in regions:
            yield _fault(f"points.{i}.region_code", "UNKNOWN_REGION", name=point["region_code"])
        for j, zone in enumerate(point["zones"]):
            if zone not in zones:
                yield _fault(f"points.{i}.zones.{j}", "UNKNOWN_ZONE", name=zone)
    for path, item in named:
        if item not in known:
            yield _fault(path, "NO_SUCH_ITEM", name=item)
    for item, count in Counter(scope["item_id"] for scope in found["item_scopes"]).items():
        if count > 1:
            at = max(i for i, scope in enumerate(found["item_scopes"]) if scope["item_id"] == item)
            yield _fault(f"item_scopes.{at}.item_id", "TWICE", name=item, count=count)


def _hours_of(point: Mapping[str, Any]) -> dict[str, Any]:
    week = {day: said["periods"] for said in point["hours"] for day in said["weekdays"]}
    every_day = point["open_on_rest_days"]
    return _hours_row(week, rest_days=point["kind"] == Kind.TERMINAL if every_day is None else every_day)


_AS_IT_IS = ("name", "kind", "region_code", "address", "accessible", "withdrawn")
_FIELDS = {
    **dict.fromkeys(_AS_IT_IS), "phone": "consult", "zones": "zone_codes", "items": "item_ids", "sample": "is_sample",
    "hours": "hours_id",
}  # fmt: skip
"""Fields of a document → columns, when they are called otherwise."""


def _said(point: Mapping[str, Any]) -> dict[str, Any]:
    """What the document says of a point, to be compared with what is."""
    return {
        **{name: point[name] for name in (*_AS_IT_IS, "phone", "sample")},
        "zones": sorted(point["zones"]),
        "items": sorted(point["items"]),
        "hours": str(_hours_of(point)["id"]),
        "place": [point["latitude"], point["longitude"]],
    }


def _merged(
    session: Session, points: Sequence[Mapping[str, Any]], *, overwrite: bool
) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The rows to be written, or what both the document and somebody here have changed."""
    keys = [rules.point_id(point["code"]) for point in points]
    last = keeping.last_said(session, keys)
    present = {
        row.id: {name: getattr(row, column or name) for name, column in _FIELDS.items()}
        | {"hours": str(row.hours_id), "place": [row.latitude, row.longitude]}
        for row in session.execute(
            select(*ServicePoint.__table__.c).where(ServicePoint.id == any_(literal(keys, ARRAY(Uuid))))
        )
    }
    rows, faults = [], []
    for i, (key, point) in enumerate(zip(keys, points, strict=True)):
        merged = merge(_said(point), last.get(key, {}), present.get(key), overwrite=overwrite)
        faults += [_fault(f"points.{i}.{name}", "EDITED_HERE", name=point["code"]) for name in merged.conflicts]
        fields = merged.fields
        row = {column or name: fields[name] for name, column in _FIELDS.items()}
        row |= {"id": key, "code": point["code"], "hall_id": None, "hours_id": UUID(fields["hours"])}
        rows.append(row | _placed(Position(*fields["place"])))
    return rows, faults


def _write(session: Session, hours: Mapping[UUID, dict[str, Any]], rows: Sequence[dict[str, Any]]) -> int:
    changed = upsert(session, ServiceHours, list(hours.values())) if hours else 0
    for start in range(0, len(rows), _BATCH):
        changed += upsert(session, ServicePoint, rows[start : start + _BATCH])
    return changed


def _write_exceptions(session: Session, points: Sequence[Mapping[str, Any]]) -> int:
    wanted = {
        (said["day"], rules.point_id(point["code"])): {
            "periods": places.written_periods(places.check_periods(said["periods"])),
            "reason": said["reason"],
            "reason_en": said["reason_en"],
        }
        for point in points
        for said in point["exceptions"]
    }
    named = PointException.point_id.in_([rules.point_id(point["code"]) for point in points])
    present = {
        (row.day, row.point_id): {"periods": row.periods, "reason": row.reason, "reason_en": row.reason_en}
        for row in session.scalars(select(PointException).where(named))
    }
    if present == wanted:
        return 0
    session.execute(delete(PointException).where(named))
    if wanted:
        rows = [{"day": day, "point_id": point} | said for (day, point), said in wanted.items()]
        session.execute(pg.insert(PointException), rows)
    return sum(present.get(key) != said for key, said in wanted.items()) + len(present.keys() - wanted.keys())


def _hours_row(week: Mapping[int, Iterable[tuple[time, time]]], *, rest_days: bool) -> dict[str, Any]:
    stored = {str(day): places.written_periods(sorted(week[day])) for day in sorted(week)}
    key = orjson.dumps([stored, rest_days], option=orjson.OPT_SORT_KEYS).decode()
    return {"id": rules.hours_id(key), "week": stored, "rest_days": rest_days}


def _placed(position: Position) -> dict[str, float]:
    east, north = rules.on_map(position)
    return {"latitude": position.latitude, "longitude": position.longitude, "east": east, "north": north}


def put_hall(session: Session, hall_id: UUID, position: Position) -> int:
    """Put a hall on the map, with what its row and its hours say; returns how many rows differed."""
    hall = session.get_one(ServiceHall, hall_id, populate_existing=True)
    hours = _hall_hours(session, hall_id)
    row = {name: getattr(hall, name) for name in ("code", "name", "region_code", "address", "consult", "is_sample")}
    row |= {"id": rules.point_id(hall.code), "kind": Kind.HALL, "hall_id": hall_id, "hours_id": hours["id"]}
    row |= {"accessible": None, "zone_codes": [], "item_ids": [], "withdrawn": False} | _placed(position)
    return upsert(session, ServiceHours, [hours]) + upsert(session, ServicePoint, [row], keep=("accessible",))


def follow_hours(session: Session, hall_id: UUID) -> None:
    """Take over the hours of a hall that have changed, if it is on the map."""
    hours = _hall_hours(session, hall_id)
    upsert(session, ServiceHours, [hours])
    session.execute(update(ServicePoint).where(ServicePoint.hall_id == hall_id).values(hours_id=hours["id"]))


def _hall_hours(session: Session, hall_id: UUID) -> dict[str, Any]:
    week: dict[int, list[tuple[time, time]]] = {}
    for row in session.scalars(select(HallHours).where(HallHours.hall_id == hall_id)):
        week.setdefault(row.weekday, []).append((row.opens, row.closes))
    return _hours_row(week, rest_days=False)
