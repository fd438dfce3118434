"""What is done to places: importing them, opening or closing a hall on one day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp
from sqlalchemy import delete, insert, inspect, select, update
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import Session

from casework.catalogue.answers import service as answers
from casework.catalogue.importing.faults.rules import Fault, shape
from casework.catalogue.importing.records.queries import known_items
from casework.catalogue.importing.service import upsert
from casework.catalogue.lookups import queries as lookups
from casework.places import rules
from casework.places.keeping import queries as edits
from casework.places.keeping import service as keeping
from casework.places.models import HallException, HallHours, HallZone, ServiceHall, ServiceWindow, WindowItem
from casework.places.points import rules as point_rules
from casework.places.points import service as points
from casework.places.points.rules import Position
from casework.places.ports import period
from casework.places.rules import Level, WindowKind, WindowState
from core import audit, clock, ids
from core.actors import Staff, System
from core.db import Base
from core.errors import InvalidInput, NotFound


class _Zone(ma.Schema):
    zone_code = ma.fields.String(required=True)
    area = ma.fields.String(required=True, validate=Length(0, 200))
    windows = ma.fields.Integer(required=True, strict=True, validate=Range(1, 500))


class _Special(ma.Schema):
    zone_code = ma.fields.String(required=True)
    number = ma.fields.Integer(required=True, strict=True, validate=Range(1, 500))
    name = ma.fields.String(required=True, validate=Length(1, 200))
    items = ma.fields.List(ma.fields.String(), required=True, validate=Length(1))


class _Hours(ma.Schema):
    weekdays = ma.fields.List(ma.fields.Integer(strict=True, validate=Range(1, 7)), required=True)
    periods = ma.fields.List(period(), required=True)


class _Hall(ma.Schema):
    code = ma.fields.String(required=True, validate=Regexp(r"\A[A-Z0-9-]{1,40}\Z"))
    name = ma.fields.String(required=True, validate=Length(1, 200))
    level = ma.fields.String(required=True, validate=OneOf([str(level) for level in Level]))
    region_code = ma.fields.String(required=True, validate=Regexp(r"\A\d{6}\Z"))
    address = ma.fields.String(required=True, validate=Length(1, 500))
    consult = ma.fields.String(required=True, validate=Length(0, 200))
    latitude = ma.fields.Float(load_default=None, validate=Range(point_rules.SOUTH, point_rules.NORTH))
    longitude = ma.fields.Float(load_default=None, validate=Range(point_rules.WEST, point_rules.EAST))
    sample = ma.fields.Boolean(required=True)
    zones = ma.fields.List(ma.fields.Nested(_Zone), required=True, validate=Length(1))
    special_windows = ma.fields.List(ma.fields.Nested(_Special), required=True)
    hours = ma.fields.List(ma.fields.Nested(_Hours), required=True, validate=Length(1))


class _Places(ma.Schema):
    disclaimer = ma.fields.String(required=True)
    halls = ma.fields.List(ma.fields.Nested(_Hall), required=True, validate=Length(1))


@dataclass(frozen=True, slots=True)
class PlacesReport:
    """Halls and windows in the document, how many rows differed, and the faults (then nothing was written)."""

    halls: int
    windows: int
    changed: int
    faults: tuple[Fault, ...]


def import_places(session: Session, document: Mapping[str, Any], *, overwrite: bool = False) -> PlacesReport:
    """Write the halls of `document`; the same twice changes nothing. Zones, regions and items must be in the catalogue.

    A hall's windows that the document no longer has are closed, never deleted; a window that a manager paused stays paused.
    Hours, and what a window takes, that a manager changed since the last import stay, unless the document says something
    new of them: that is a fault, or with `overwrite` the document wins.
    """
    try:
        places = _Places().load(document)
    except ma.ValidationError as wrong:
        return PlacesReport(0, 0, 0, tuple(_flat("", wrong.messages)))
    wrong_halls = [*_faults(places["halls"]), *_references(session, places["halls"])]
    if wrong_halls:
        return PlacesReport(0, 0, 0, tuple(wrong_halls))
    merged = edits.merged(session, places["halls"], overwrite=overwrite)
    if merged.faults:
        return PlacesReport(0, 0, 0, merged.faults)
    windows = changed = 0
    for position, hall in enumerate(places["halls"], 1):
        rows = list(_windows(hall))
        windows += len(rows)
        changed += _write_hall(session, hall, position, rows, merged.of(hall["code"]))
    keeping.remember(session, merged.said)
    if changed:
        answers.touch(session)
    return PlacesReport(len(places["halls"]), windows, changed, ())


def _flat(path: str, messages: Any) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(f"{path}.{key}" if path else str(key), inner)
    else:
        for message in messages:
            yield shape(path, str(message))


def _faults(halls: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    codes = Counter(hall["code"] for hall in halls)
    seen: set[str] = set()
    for i, hall in enumerate(halls):
        if hall["code"] in seen:
            yield Fault(f"halls.{i}.code", "TWICE", {"name": hall["code"], "count": codes[hall["code"]]})
        seen.add(hall["code"])
        if (hall["latitude"] is None) != (hall["longitude"] is None):
            yield Fault(f"halls.{i}", "HALF_A_POSITION")
        windows = {zone["zone_code"]: zone["windows"] for zone in hall["zones"]}
        weekdays = [weekday for hours in hall["hours"] for weekday in hours["weekdays"]]
        for name, told in (("zones", [zone["zone_code"] for zone in hall["zones"]]), ("hours", weekdays)):
            for key, count in Counter(told).items():
                if count > 1:
                    yield Fault(f"halls.{i}.{name}", "TWICE", {"name": key, "count": count})
        for j, special in enumerate(hall["special_windows"]):
            if special["number"] > windows.get(special["zone_code"], 0):
                yield Fault(f"halls.{i}.special_windows.{j}", "NO_SUCH_WINDOW")
        for j, hours in enumerate(hall["hours"]):
            try:
                rules.check_periods(hours["periods"])
            except InvalidInput:
                yield Fault(f"halls.{i}.hours.{j}.periods", "PERIODS")


def _references(session: Session, halls: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    regions = {region["code"] for region in lookups.regions(session)}
    zones = lookups.zone_names(session)
    items = {
        f"halls.{i}.special_windows.{j}.items.{k}": item
        for i, hall in enumerate(halls)
        for j, special in enumerate(hall["special_windows"])
        for k, item in enumerate(special["items"])
    }
    known = known_items(session, items.values())
    for i, hall in enumerate(halls):
        if hall["region_code"] not in regions:
            yield Fault(f"halls.{i}.region_code", "UNKNOWN_REGION", {"name": hall["region_code"]})
        for j, zone in enumerate(hall["zones"]):
            if zone["zone_code"] not in zones:
                yield Fault(f"halls.{i}.zones.{j}.zone_code", "UNKNOWN_ZONE", {"name": zone["zone_code"]})
    for path, item in items.items():
        if item not in known:
            yield Fault(path, "NO_SUCH_ITEM", {"name": item})


def _windows(hall: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """The windows of a hall with the items of the special ones."""
    special = {(found["zone_code"], found["number"]): found for found in hall["special_windows"]}
    for zone in hall["zones"]:
        for number in range(1, zone["windows"] + 1):
            code = f"{zone['zone_code']}-{number:02d}"
            own = special.get((zone["zone_code"], number))
            row = {
                "id": rules.window_id(hall["code"], code),
                "hall_id": rules.hall_id(hall["code"]),
                "zone_code": zone["zone_code"],
                "code": code,
                "name": own["name"] if own else f"综合窗口{number}",
                "kind": WindowKind.SPECIAL if own else WindowKind.COMBINED,
                "state": WindowState.OPEN,
            }
            yield row, own["items"] if own else []


def _write_hall(
    session: Session,
    hall: Mapping[str, Any],
    position: int,
    windows: Sequence[tuple[dict[str, Any], list[str]]],
    kept: edits.Kept,
) -> int:
    hall_id = rules.hall_id(hall["code"])
    row = {key: hall[key] for key in ("code", "name", "level", "region_code", "address", "consult")}
    row |= {"id": hall_id, "is_sample": hall["sample"], "position": position}
    changed = upsert(session, ServiceHall, [row], keep=("edit",))
    changed += upsert(
        session,
        HallZone,
        [{"hall_id": hall_id, "zone_code": zone["zone_code"], "area": zone["area"]} for zone in hall["zones"]],
    )
    windows = [(window | {"kind": kept.kind(window["code"])}, kept.items(window["code"])) for window, _ in windows]
    changed += upsert(session, ServiceWindow, [window for window, _ in windows], keep=("state", "edit"))
    gone = session.execute(
        update(ServiceWindow)
        .where(
            ServiceWindow.hall_id == hall_id,
            ServiceWindow.state != WindowState.CLOSED,
            ServiceWindow.id.not_in([window["id"] for window, _ in windows]),
        )
        .values(state=WindowState.CLOSED)
        .returning(ServiceWindow.id)
    ).all()
    items = {(window["id"], item) for window, taken in windows for item in taken}
    hours = {(hall_id, weekday, opens, closes) for weekday, opens, closes in kept.hours()}
    of_hall = WindowItem.window_id.in_(select(ServiceWindow.id).where(ServiceWindow.hall_id == hall_id))
    changed += len(gone) + _replace(session, WindowItem, of_hall, items)
    changed += _replace(session, HallHours, HallHours.hall_id == hall_id, hours)
    if hall["latitude"] is None:
        points.follow_hours(session, hall_id)
        return changed
    return changed + points.put_hall(session, hall_id, Position(hall["latitude"], hall["longitude"]))


def _replace(session: Session, model: type[Base], which: Any, wanted: set[tuple[Any, ...]]) -> int:
    """Make `wanted` the rows of `model` that `which` picks; returns how many differed."""
    columns = inspect(model).local_table.c
    present = {tuple(row) for row in session.execute(select(*columns).where(which))}
    if present == wanted:
        return 0
    session.execute(delete(model).where(which))
    if wanted:
        session.execute(insert(model), [dict(zip(columns.keys(), row, strict=True)) for row in sorted(wanted)])
    return len(present ^ wanted)


def add_exception(
    session: Session,
    *,
    actor: Staff | System,
    hall_id: UUID,
    day: date,
    periods: Sequence[tuple[time, time]],
    reason: str,
    reason_en: str = "",
) -> None:
    """Say when a hall is open on one day, whatever the week and the calendar say; no periods: closed (AP-4, AP-15).

    Replaces what was said of that day before. Raises `NotFound` for another hall than the actor's, `InvalidInput` for a
    past or far day, overlapping periods or a missing reason. Bookings of the day are the appointments' business.
    """
    if session.get(ServiceHall, hall_id) is None or (isinstance(actor, Staff) and actor.hall_id != hall_id):
        raise NotFound()
    rules.special_days(day, None, clock.today())
    if not reason.strip():
        raise InvalidInput(fields={"reason": ["请说明原因 / say why"]})
    said = rules.written_periods(rules.check_periods(periods))
    before = session.scalar(
        select(HallException).where(HallException.hall_id == hall_id, HallException.day == day).with_for_update()
    )
    write = pg.insert(HallException).values(
        id=ids.uuid7(),
        hall_id=hall_id,
        day=day,
        periods=said,
        reason=reason.strip(),
        reason_en=reason_en.strip(),
        created_at=clock.now(),
    )
    session.execute(
        write.on_conflict_do_update(
            index_elements=[HallException.hall_id, HallException.day],
            set_={name: write.excluded[name] for name in ("periods", "reason", "reason_en", "created_at")},
        )
    )
    answers.touch(session)
    audit.record(
        session,
        actor=actor,
        action="places.add_exception",
        object_type="hall",
        object_id=hall_id,
        before=_said(before) if before else None,
        after={"periods": said, "reason": reason.strip(), "reason_en": reason_en.strip()},
        day=day.isoformat(),
    )


def _said(exception: HallException) -> dict[str, Any]:
    return {"periods": exception.periods, "reason": exception.reason, "reason_en": exception.reason_en}
