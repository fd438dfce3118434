"""Writing the items in force into files, a few hundred in memory at a time."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TextIO
from uuid import UUID, uuid5

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.catalogue.exporting.workbooks.service import WorkbookWriter
from casework.catalogue.importing.reading.service import Format
from casework.catalogue.importing.records.queries import records
from casework.catalogue.importing.records.rules import BESIDE, DEFAULTS, ROW_DEFAULTS, Record
from casework.catalogue.importing.tables.rules import SPREAD, Layout, Table, guarded, layout, show
from casework.catalogue.models import ItemVersion
from core import clock

SUFFIXES = {Format.JSON: ".json", Format.EXCEL: ".xlsx", Format.EXCHANGE: ".zip"}
_ROW_GUIDS = UUID("d1a8f8a6-6c5b-5c0e-8f3c-5a1f0f6f2b1d")
_FIRST_LOAD = "I"
"""同步类型 of an exported row: it is there; who takes it in again knows it by its `row_guid`."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How many items were written, and what the format can't say: element → of how many items."""

    items: int
    not_carried: Mapping[str, int]


class _Write(Protocol):
    def __call__(self, table: Table, cells: list[Any]) -> None: ...


class _Mark(Protocol):
    def __call__(self, table: Table, item_id: str, number: int, /) -> dict[str, Any]: ...


def export(
    session: Session, target: Path | BinaryIO, wanted: Format, *, day: date, department_id: str | None = None
) -> Exported:
    """Write the items in force on `day`, of one department or all, in the order of their codes.

    The exchange tables go into a folder, or into a zip if `target` is a stream or ends in .zip.
    """
    query = (
        select(ItemVersion.id, ItemVersion.item_id, ItemVersion.version)
        .where(ItemVersion.in_force(day))
        .order_by(ItemVersion.item_id)
    )
    if department_id is not None:
        query = query.where(ItemVersion.department_id == department_id)
    versions = session.execute(query).all()
    found = records(session, [row.id for row in versions])
    not_carried: Counter[str] = Counter()
    if wanted is Format.JSON:
        _json(target, found, day)
    elif wanted is Format.EXCEL:
        _excel(target, found)
    else:
        marks = _marks({row.item_id: row.version for row in versions}, day)
        with _tables(target, layout("exchange")) as write:
            _rows(layout("exchange"), _watched(found, layout("exchange"), not_carried), write, marks)
    return Exported(len(versions), dict(not_carried))


def _watched(
    found: Iterable[tuple[str, Record]], tables: Layout, not_carried: Counter[str]
) -> Iterator[tuple[str, Record]]:
    """The records as they come; counts what they say that the tables have no column for."""
    said: dict[str, set[str]] = {}
    for table in tables.tables:
        for column in table.columns:
            said.setdefault(table.part, set()).update(SPREAD.get(column.field, (column.field.partition(".")[0],)))
    # Papers and fees by rule go with the rules, which are counted themselves.
    elements = DEFAULTS.keys() - said[""] - said.keys() - BESIDE.keys()
    parts = {part: ROW_DEFAULTS[part].keys() - names - {"by_rule"} for part, names in said.items() if part}
    for item_id, record in found:
        not_carried.update(name for name in elements if record[name] != DEFAULTS[name])
        for part, names in parts.items():
            lost = {name for row in record[part] for name in names if row[name] != ROW_DEFAULTS[part][name]}
            not_carried.update(f"{part}.{name}" for name in lost)
        yield item_id, record


def _marks(versions: Mapping[str, int], day: date) -> _Mark:
    """What the national tables want on every row: which it is, of which item, in which batch (N4)."""
    batch = {
        "cd_batch": f"{day:%Y%m%d}",
        "cd_operation": _FIRST_LOAD,
        "cd_time": f"{clock.local(clock.now()):%Y-%m-%d %H:%M:%S}",
    }

    def mark(table: Table, item_id: str, number: int) -> dict[str, Any]:
        of_item = str(uuid5(_ROW_GUIDS, item_id))
        first = not (table.part or table.extends)
        own = of_item if first else str(uuid5(_ROW_GUIDS, f"{item_id}/{table.name}/{number}"))
        return batch | {"row_guid": own, "task_guid": of_item, "task_version": versions[item_id], "task_state": "1"}

    return mark


def _unmarked(_table: Table, _item_id: str, _number: int) -> dict[str, Any]:
    return {}


def template(target: Path | BinaryIO) -> None:
    """Write the empty workbook that departments fill in."""
    _excel(target, ())


def _json(target: Path | BinaryIO, found: Iterable[tuple[str, Record]], day: date) -> None:
    with ExitStack() as stack:
        out = stack.enter_context(target.open("wb")) if isinstance(target, Path) else target
        out.write(f'{{"schema_version": "2.0", "generated_on": "{day.isoformat()}", "items": ['.encode())
        for at, (item_id, record) in enumerate(found):
            out.write((b",\n" if at else b"\n") + orjson.dumps({"item_id": item_id, **record}))
        out.write(b"\n]}\n")


def _rows(tables: Layout, found: Iterable[tuple[str, Record]], write: _Write, marks: _Mark = _unmarked) -> None:
    for item_id, record in found:
        whole = {"item_id": item_id, **record}
        keys = {name: whole[name] for name in ("item_id", "task_code", "handle_item_code")}
        for table in tables.tables:
            for number, row in enumerate(record[table.part] if table.part else (whole,)):
                values = row | keys | marks(table, item_id, number)
                write(table, [show(column, _value(values, column.field)) for column in table.columns])


def _value(row: Mapping[str, Any], field: str) -> Any:
    outer, _, inner = field.partition(".")
    if field == "necessity":
        return "SITUATIONAL" if not row["required"] else "TOLERABLE" if row["tolerable"] else "REQUIRED"
    if field == "effective":
        return None
    if field in ("tariff", "beside"):
        return row
    return row[outer][inner] if inner else row[outer]


def _excel(target: Path | BinaryIO, found: Iterable[tuple[str, Record]]) -> None:
    tables = layout("workbook")
    headings = {table.name: [column.heading for column in table.columns] for table in tables.tables}
    with WorkbookWriter(target, headings) as book:

        def write(table: Table, cells: list[Any]) -> None:
            risky = {at for at, cell in enumerate(cells) if isinstance(cell, str) and guarded(cell) != cell}
            book.row(table.name, cells, risky)

        _rows(tables, found, write)


@contextmanager
def _tables(target: Path | BinaryIO, tables: Layout) -> Iterator[_Write]:
    """CSV files with a byte order mark, so that spreadsheets read them as UTF-8."""
    with ExitStack() as stack:
        zipped = not isinstance(target, Path) or target.suffix == ".zip"
        texts: dict[str, TextIO] = {}
        for table in tables.tables:
            if isinstance(target, Path) and not zipped:
                target.mkdir(parents=True, exist_ok=True)
                file = (target / f"{table.name}.csv").open("w", encoding="utf-8-sig", newline="")
                texts[table.name] = stack.enter_context(file)
            else:
                texts[table.name] = io.StringIO(newline="")
        writers = {name: csv.writer(text) for name, text in texts.items()}
        for table in tables.tables:
            writers[table.name].writerow([column.heading for column in table.columns])

        def write(table: Table, cells: list[Any]) -> None:
            writers[table.name].writerow([guarded(cell) if isinstance(cell, str) else cell for cell in cells])

        yield write
        if zipped:
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in texts.items():
                    assert isinstance(text, io.StringIO)  # noqa: S101
                    archive.writestr(f"{name}.csv", text.getvalue().encode("utf-8-sig"))
