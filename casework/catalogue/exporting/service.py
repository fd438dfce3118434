"""Writing the items in force into files, a few hundred in memory at a time."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TextIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.catalogue.importing.reading.service import Format
from casework.catalogue.importing.records.queries import records
from casework.catalogue.importing.records.rules import Record
from casework.catalogue.importing.tables.rules import Layout, Table, guarded, layout, show
from casework.catalogue.models import ItemVersion

SUFFIXES = {Format.JSON: ".json", Format.EXCEL: ".xlsx", Format.EXCHANGE: ".zip"}


class _Write(Protocol):
    def __call__(self, table: Table, cells: list[Any]) -> None: ...


def export(
    session: Session, target: Path | BinaryIO, wanted: Format, *, day: date, department_id: str | None = None
) -> int:
    """Write the items in force on `day`, of one department or all, in the order of their codes; returns how many.

    The exchange tables go into a folder, or into a zip if `target` is a stream or ends in .zip.
    """
    query = select(ItemVersion.id).where(ItemVersion.in_force(day)).order_by(ItemVersion.item_id)
    if department_id is not None:
        query = query.where(ItemVersion.department_id == department_id)
    versions = list(session.scalars(query))
    found = records(session, versions)
    if wanted is Format.JSON:
        _json(target, found, day)
    elif wanted is Format.EXCEL:
        _excel(target, found)
    else:
        with _tables(target, layout("exchange")) as write:
            _rows(layout("exchange"), found, write)
    return len(versions)


def template(target: Path | BinaryIO) -> None:
    """Write the empty workbook that departments fill in."""
    _excel(target, ())


def _json(target: Path | BinaryIO, found: Iterable[tuple[str, Record]], day: date) -> None:
    with ExitStack() as stack:
        out = stack.enter_context(target.open("wb")) if isinstance(target, Path) else target
        out.write(f'{{"schema_version": "2.0", "generated_on": "{day.isoformat()}", "items": ['.encode())
        for at, (item_id, record) in enumerate(found):
            line = json.dumps({"item_id": item_id, **record}, ensure_ascii=False)
            out.write((",\n" if at else "\n").encode() + line.encode())
        out.write(b"\n]}\n")


def _rows(tables: Layout, found: Iterable[tuple[str, Record]], write: _Write) -> None:
    for item_id, record in found:
        whole = {"item_id": item_id, **record}
        keys = {name: whole[name] for name in ("item_id", "task_code", "handle_item_code")}
        for table in tables.tables:
            for row in record[table.part] if table.part else (whole,):
                values = row | keys
                write(table, [show(column, _value(values, column.field)) for column in table.columns])


def _value(row: Mapping[str, Any], field: str) -> Any:
    outer, _, inner = field.partition(".")
    if field == "necessity":
        return "SITUATIONAL" if not row["required"] else "TOLERABLE" if row["tolerable"] else "REQUIRED"
    if field == "effective":
        return None
    return row[outer][inner] if inner else row[outer]


def _excel(target: Path | BinaryIO, found: Iterable[tuple[str, Record]]) -> None:
    book = Workbook(write_only=True)
    tables = layout("workbook")
    sheets = {}
    for table in tables.tables:
        sheets[table.name] = sheet = book.create_sheet(table.name)
        sheet.freeze_panes = "B2"
        headings = [WriteOnlyCell(sheet, column.heading) for column in table.columns]
        for cell in headings:
            cell.font = Font(bold=True)
        sheet.append(headings)

    def write(table: Table, cells: list[Any]) -> None:
        sheet = sheets[table.name]
        sheet.append([_cell(sheet, value) for value in cells])

    _rows(tables, found, write)
    book.save(target)


def _cell(sheet: Any, value: Any) -> Any:
    """A text that looks like a formula is marked as the text that it is."""
    if not isinstance(value, str):
        return value
    value = ILLEGAL_CHARACTERS_RE.sub("", value)
    if guarded(value) == value:
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


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
