"""What of a hall was edited here since the last import: the hours of the week, and what each window takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.catalogue.importing.faults.rules import Fault
from casework.places import rules
from casework.places.keeping.rules import merge
from casework.places.keeping.service import last_said
from casework.places.models import HallHours, ServiceWindow, WindowItem
from casework.places.rules import WindowKind

_HOURS = "hours"


@dataclass(frozen=True, slots=True)
class Kept:
    """A hall's hours and windows as they are to be after the import."""

    fields: Mapping[str, Any]

    def hours(self) -> Iterator[tuple[int, time, time]]:
        """Weekday (1 = Monday), opening and closing times."""
        for weekday, opens, closes in self.fields[_HOURS]:
            yield int(weekday), rules.read_time(opens), rules.read_time(closes)

    def kind(self, window: str) -> WindowKind:
        """The kind of the window with this code."""
        return WindowKind.SPECIAL if self.fields[window] else WindowKind.COMBINED

    def items(self, window: str) -> list[str]:
        """What a special window takes."""
        return list(self.fields[window])


@dataclass(slots=True)
class Merge:
    """By hall what is to be, what the document says (to be remembered), and the conflicts."""

    halls: dict[str, Kept] = field(default_factory=dict)
    said: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def of(self, code: str) -> Kept:
        """Of the hall with this code."""
        return self.halls[code]


def merged(session: Session, halls: Sequence[Mapping[str, Any]], *, overwrite: bool) -> Merge:
    """Compare a document's halls with what was imported last, and with what is."""
    keys = {rules.hall_id(hall["code"]): hall["code"] for hall in halls}
    last, now = last_said(session, keys), _present(session, keys)
    result, faults = Merge(), []
    for i, hall in enumerate(halls):
        key, said = rules.hall_id(hall["code"]), _said(hall)
        present = now.get(key)
        # A window that wasn't there before is nobody's edit.
        found = merge(said, last.get(key, {}), None if present is None else said | present, overwrite=overwrite)
        for name in found.conflicts:
            path = f"halls.{i}.hours" if name == _HOURS else f"halls.{i}.windows.{name}"
            faults.append(Fault(path, "EDITED_HERE", {"name": hall["code"]}))
        result.halls[hall["code"]], result.said[key] = Kept(found.fields), said
    result.faults = tuple(faults)
    return result


def _said(hall: Mapping[str, Any]) -> dict[str, Any]:
    windows: dict[str, list[str]] = {
        f"{zone['zone_code']}-{n:02d}": [] for zone in hall["zones"] for n in range(1, zone["windows"] + 1)
    }
    special = {f"{one['zone_code']}-{one['number']:02d}": sorted(set(one["items"])) for one in hall["special_windows"]}
    week = [
        (weekday, opens, closes)
        for found in hall["hours"]
        for weekday in found["weekdays"]
        for opens, closes in found["periods"]
    ]
    return {**windows, **special, _HOURS: _week(week)}


def _week(periods: Iterable[tuple[int, time, time]]) -> list[list[Any]]:
    return [
        [weekday, rules.written_time(opens), rules.written_time(closes)] for weekday, opens, closes in sorted(periods)
    ]


def _present(session: Session, halls: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """The hours and windows of those of the halls that are there."""
    wanted = list(halls)
    found: dict[UUID, dict[str, Any]] = {}
    windows = session.execute(
        select(ServiceWindow.id, ServiceWindow.hall_id, ServiceWindow.code).where(ServiceWindow.hall_id.in_(wanted))
    ).all()
    items: dict[UUID, list[str]] = {}
    taken = select(WindowItem.window_id, WindowItem.item_id).where(
        WindowItem.window_id.in_([row.id for row in windows])
    )
    for window_id, item_id in session.execute(taken.order_by(WindowItem.item_id)):
        items.setdefault(window_id, []).append(item_id)
    for row in windows:
        found.setdefault(row.hall_id, {})[row.code] = items.get(row.id, [])
    weeks: dict[UUID, list[tuple[int, time, time]]] = {hall_id: [] for hall_id in found}
    for hours in session.scalars(select(HallHours).where(HallHours.hall_id.in_(list(found)))):
        weeks[hours.hall_id].append((hours.weekday, hours.opens, hours.closes))
    for hall_id, week in weeks.items():
        found[hall_id][_HOURS] = _week(week)
    return found
