"""Sheets become `Said`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from casework.catalogue.importing.faults.rules import Fault, Place
from casework.catalogue.importing.records.rules import SITUATIONAL, Said
from casework.catalogue.importing.tables.rules import SPREAD, UNSAID, CellFault, Column, Layout, Table, folded, parse

_TITLES = 20
"""Among so many first rows the headings are looked for: titles and notes may stand above."""

Resolve = Callable[[tuple[str, ...]], str]
"""From the values of the key columns to the item's code."""
NotKept = dict[tuple[str, str], int]
"""Sheet and heading of what is said and kept by nobody here → in how many rows."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet or file as it was read: its name and its rows, numbered from 1; `hidden` fills as they are read."""

    name: str
    rows: Iterable[tuple[int, Sequence[Any]]]
    hidden: Set[int] = frozenset()


@dataclass(slots=True)
class _Row:
    place: Place
    key: tuple[str, ...]
    said: dict[str, Any]
    bad: set[str]


Headings = Mapping[tuple[str, str], str]
"""Part ("" for the item itself) and field → heading."""


@dataclass(slots=True)
class _Where:
    """The rows that an item was said in: by sheet those of the item itself, by part and number those of its parts."""

    headings: Headings
    sheets: Mapping[str, str]
    own: dict[str, Place]
    rows: dict[str, Place] = field(default_factory=dict)

    def __call__(self, path: str) -> Place:
        first, _, rest = path.partition(".")
        number, _, inner = rest.partition(".")
        row = self.rows.get(f"{first}.{number}")
        if row is not None:
            return Place(row.sheet, row.row, self.headings.get((first, inner.partition(".")[0]), ""))
        # What is missing altogether is told at the item's first row, under the heading that it would have.
        place = self.own.get(self.sheets.get(first, "")) or next(iter(self.own.values()))
        return Place(place.sheet, place.row, self.headings.get(("", first), ""))


def _headings(layout: Layout) -> Headings:
    return {
        (table.part, told): column.heading
        for table in layout.tables
        for column in table.columns
        for told in SPREAD.get(column.field, (column.field.partition(".")[0],))
    }


def assemble(
    layout: Layout, sheets: Iterable[Sheet], resolve: Resolve, today: date, faults: list[Fault], not_kept: NotKept
) -> dict[str, Said]:
    """By item, what the sheets say. What is wrong with cells and headings goes to `faults`.

    A part whose sheet is there is said whole: an item without rows on it has none.
    """
    by_name = {sheet.name: sheet for sheet in sheets}
    headings = _headings(layout)
    homes = {
        told: table.name
        for table in reversed(layout.tables)
        if not table.part
        for column in table.columns
        for told in SPREAD.get(column.field, (column.field.partition(".")[0],))
    }
    said: dict[str, Said] = {}
    known = {table.name for table in layout.tables}
    for name in by_name.keys() - known:
        if any(any(folded(cell) for cell in cells) for _, cells in by_name[name].rows):
            faults.append(Fault.at(Place(name), "UNKNOWN_SHEET"))
    for table in layout.tables:
        if table.name not in by_name:
            if not table.part and not table.extends:
                faults.append(Fault.at(Place(), "NO_SHEET", name=table.name))
                return {}
            continue
        rows = _Reader(layout, table, by_name[table.name], faults, not_kept)
        if table.part:
            for one in said.values():
                one.fields[table.part] = []
        for row in rows:
            item_id = resolve(row.key)
            if table.part:
                _add_part(table.part, said.get(item_id), row, faults)
            elif table.extends:
                _add_more(said.get(item_id), row, faults)
            else:
                _add_item(said, item_id, row, _Where(headings, homes, {table.name: row.place}), today, faults)
    return said


def _add_item(said: dict[str, Said], item_id: str, row: _Row, where: _Where, today: date, faults: list[Fault]) -> None:
    if item_id in said:
        faults.append(Fault.at(row.place, "TWICE", name=item_id, count=2))
        return
    effective = row.said.pop("effective", None)
    if effective is not None and effective > today:
        faults.append(Fault.at(where("effective"), "NOT_YET", value=effective))
    fields: dict[str, Any] = {}
    for name, value in row.said.items():
        outer, _, inner = name.partition(".")
        if inner:
            fields.setdefault(outer, {})[inner] = value
        else:
            fields[name] = value
    said[item_id] = Said(item_id, str(row.place), fields, where, row.bad)


def _add_more(said: Said | None, row: _Row, faults: list[Fault]) -> None:
    """A row of a table that says more about the items of the one before it."""
    if said is None:
        faults.append(Fault.at(row.place, "UNKNOWN_ITEM", name=" ".join(row.key)))
        return
    assert isinstance(said.at, _Where)  # noqa: S101
    if row.place.sheet in said.at.own:
        faults.append(Fault.at(row.place, "TWICE", name=" ".join(row.key), count=2))
        return
    said.at.own[row.place.sheet] = row.place
    said.fields |= row.said.pop("beside", {}) | row.said
    said.bad |= row.bad


def _add_part(part: str, said: Said | None, row: _Row, faults: list[Fault]) -> None:
    if said is None:
        faults.append(Fault.at(row.place, "UNKNOWN_ITEM", name=" ".join(row.key)))
        return
    row.said |= row.said.pop("tariff", {})
    if (necessity := row.said.pop("necessity", None)) is not None:
        row.said[SITUATIONAL] = necessity == "SITUATIONAL"
        if necessity != "SITUATIONAL":
            row.said["tolerable"] = necessity == "TOLERABLE"
    rows = said.fields[part]
    place = f"{part}.{len(rows)}"
    rows.append(row.said)
    assert isinstance(said.at, _Where)  # noqa: S101
    said.at.rows[place] = row.place
    said.bad |= {f"{place}.{name}" for name in row.bad}


class _Reader:
    """The rows of a sheet, each with its values; an empty key on a sheet of parts means the item above."""

    def __init__(
        self,
        layout: Layout,
        table: Table,
        sheet: Sheet,
        faults: list[Fault],
        not_kept: NotKept,
    ) -> None:
        self._layout, self._table, self._sheet = layout, table, sheet
        self._faults, self._not_kept = faults, not_kept
        self._passed_over: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[_Row]:
        rows = iter(self._sheet.rows)
        columns = self._columns(rows)
        above: tuple[str, ...] = ()
        for number, cells in rows:
            if not any(not isinstance(cell, str | None) or folded(cell) for cell in cells):
                continue
            if number in self._sheet.hidden:
                self._faults.append(Fault.at(Place(self._sheet.name, number), "HIDDEN"))
            row = self._row(number, cells, columns)
            if (self._table.part or self._table.extends) and not any(row.key):
                row.key = above
            if not any(row.key):
                place = Place(self._sheet.name, number, self._layout.key[0])
                self._faults.append(Fault.at(place, "MISSING"))
                continue
            above = row.key
            yield row

    def _columns(self, rows: Iterator[tuple[int, Sequence[Any]]]) -> list[Column | None]:
        known = {folded(column.heading): column for column in self._table.columns}
        unkept = self._table.not_kept | self._table.housekeeping
        key = folded(self._layout.key[0])
        for number, cells in rows:
            names = [folded(cell) for cell in cells]
            if key in names:
                place = Place(self._sheet.name, number)
                for at, name in enumerate(names):
                    if name and name not in known and name not in unkept:
                        self._faults.append(Fault.at(place, "UNKNOWN_COLUMN", name=name))
                    elif name and name in names[:at]:
                        self._faults.append(Fault.at(place, "COLUMN_TWICE", name=name))
                self._passed_over = [(at, name) for at, name in enumerate(names) if name in self._table.not_kept]
                return [known.get(name) for name in names]
            if number >= _TITLES:
                break
        self._faults.append(Fault.at(Place(self._sheet.name), "NO_KEY_COLUMN", name=self._layout.key[0]))
        return []

    def _row(self, number: int, cells: Sequence[Any], columns: Sequence[Column | None]) -> _Row:
        key = dict.fromkeys(self._layout.key, "")
        said: dict[str, Any] = {}
        bad: set[str] = set()
        for cell, column in zip(cells, columns, strict=False):
            if column is None:
                continue
            if column.heading in key and isinstance(cell, str | int | float):
                key[column.heading] = folded(cell)
            try:
                value = parse(column, cell)
            except CellFault as fault:
                place = Place(self._sheet.name, number, column.heading)
                self._faults.append(Fault.at(place, fault.code, **fault.params))
                bad.add(column.field.partition(".")[0])
                continue
            if value is not UNSAID and not (
                column.heading in key and (self._table.part or self._table.extends or column.field == "item_id")
            ):
                said[column.field] = value
        for at, name in self._passed_over:
            if at < len(cells) and folded(cells[at]):
                told = self._table.name, name
                self._not_kept[told] = self._not_kept.get(told, 0) + 1
        return _Row(Place(self._sheet.name, number), tuple(key.values()), said, bad)
