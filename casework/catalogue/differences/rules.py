"""Snapshots of versions and the differences between them. Pure.

`apply(diff(a, b), a) == b` for any two snapshots, and `diff(a, a)` is empty: tests hold it for random ones.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from casework.catalogue.elements.rules import Elements
from casework.catalogue.rules import Item

Snapshot = dict[str, Any]
"""Everything a version says, as plain JSON values: elements by name; those in `PARTS` are lists of rows."""

PARTS = {
    "questions": "key", "materials": "no", "rules": "no", "fee_lines": "no", "sub_items": "no", "steps": "no",
    "special_procedure_rows": "no", "result_samples": "no", "common_questions": "no",
}  # fmt: skip
"""Elements that are rows → what a row is told apart by."""
_NOT_SAID = {
    "item_id", "version_id", "version", "effective_from", "effective_to", "zone_name", "department_name", "department_name_2017", "source",
    "confidence", "is_sample",
}  # fmt: skip
_SIMPLE = frozenset({str, int, bool, float, type(None)})


class ChangeKind(StrEnum):
    """CHANGED: an element or a field of a row; the others are of whole rows."""

    CHANGED = "CHANGED"
    ADDED = "ADDED"
    REMOVED = "REMOVED"
    MOVED = "MOVED"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `key` and `field` say which row and which of its fields; None: the whole element or row.

    `before` and `after` are the values; of a row that moved, the places (from 0); of an added one, `after` is
    `{"place": …, "row": …}`.
    """

    element: str
    key: str | int | None
    field: str | None
    kind: ChangeKind
    before: Any
    after: Any

    @property
    def path(self) -> str:
        """Where it is, such as "materials.3.name"."""
        return ".".join(str(part) for part in (self.element, self.key, self.field) if part is not None)


def snapshot(item: Item, elements: Elements) -> Snapshot:
    """What a version says. Its number, its days and where the knowledge came from are not part of it."""
    said: Snapshot = {name: _plain(getattr(item, name)) for name in _fields(Item) if name not in _NOT_SAID}
    said |= _plain(elements)
    for material in said["materials"]:
        del material["licence_name"]
    return said


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if kind is tuple or kind is list:
        return [_plain(inner) for inner in value]
    if kind is dict:
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, StrEnum):
        return str(value)
    return {name: _plain(getattr(value, name)) for name in _fields(kind)} if is_dataclass(kind) else value


@cache
def _fields(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def diff(a: Snapshot, b: Snapshot) -> tuple[Change, ...]:
    """What makes `b` of `a`, in the order of the elements. Both have the same elements."""
    found: list[Change] = []
    for element, before in a.items():
        after = b[element]
        if element in PARTS:
            found += _rows(element, PARTS[element], before, after)
        elif before != after:
            found.append(Change(element, None, None, ChangeKind.CHANGED, before, after))
    return tuple(found)


def _rows(
    element: str, key: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterable[Change]:
    old = {row[key]: row for row in before}
    new = {row[key]: row for row in after}
    place = {row[key]: i for i, row in enumerate(after)}
    for name, row in old.items():
        if name not in new:
            yield Change(element, name, None, ChangeKind.REMOVED, dict(row), None)
    for name, row in new.items():
        if name not in old:
            yield Change(element, name, None, ChangeKind.ADDED, None, {"place": place[name], "row": dict(row)})
            continue
        for field in dict.fromkeys((*old[name], *row)):
            was, becomes = old[name].get(field), row.get(field)
            if was != becomes:
                yield Change(element, name, field, ChangeKind.CHANGED, was, becomes)
    stayed = [name for name in old if name in new]
    unmoved = _longest_rising([place[name] for name in stayed])
    for i, row in enumerate(before):
        name = row[key]
        if name in new and place[name] not in unmoved:
            yield Change(element, name, None, ChangeKind.MOVED, i, place[name])


def _longest_rising(places: Sequence[int]) -> set[int]:
    """The most of `places` that rise: those rows kept their order, all others moved."""
    ends: list[int] = []
    at: list[int] = []
    previous: list[int] = []
    for i, place in enumerate(places):
        length = bisect_left(ends, place)
        if length == len(ends):
            ends.append(place)
            at.append(i)
        else:
            ends[length], at[length] = place, i
        previous.append(at[length - 1] if length else -1)
    rising: set[int] = set()
    i = at[-1] if at else -1
    while i >= 0:
        rising.add(places[i])
        i = previous[i]
    return rising


def apply(changes: Iterable[Change], a: Snapshot) -> Snapshot:
    """`a` after `changes`."""
    made = dict(a)
    by_element: dict[str, list[Change]] = {}
    for change in changes:
        by_element.setdefault(change.element, []).append(change)
    for element, found in by_element.items():
        made[element] = _applied(PARTS[element], a[element], found) if element in PARTS else found[0].after
    return made


def _applied(key: str, rows: Sequence[Mapping[str, Any]], changes: Sequence[Change]) -> list[dict[str, Any]]:
    by_key = {row[key]: dict(row) for row in rows}
    put: dict[int, Any] = {}
    gone: set[Any] = set()
    for change in changes:
        if change.kind is ChangeKind.ADDED:
            by_key[change.key] = dict(change.after["row"])
            put[change.after["place"]] = change.key
        elif change.kind is ChangeKind.MOVED:
            put[change.after] = change.key
            gone.add(change.key)
        elif change.kind is ChangeKind.REMOVED:
            gone.add(change.key)
        elif change.field is not None:
            by_key[change.key][change.field] = change.after
    order = [row[key] for row in rows if row[key] not in gone]
    for place in sorted(put):
        order.insert(place, put[place])
    return [by_key[name] for name in order]
