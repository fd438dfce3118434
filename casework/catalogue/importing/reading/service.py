"""Files become documents or sheets. Nothing is unpacked to disk, and never more than the limits into memory."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from casework.catalogue.importing.assembling.rules import Sheet
from casework.catalogue.importing.faults.rules import Fault, Place
from casework.catalogue.importing.tables.rules import layout, unguarded
from casework.catalogue.importing.workbooks.service import MOST_COLUMNS, Damaged, Range, RawSheet, Workbook

_MB = 1024 * 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How .xls begins, and an .xlsx under a password."""
_ENCODINGS = ("utf-8-sig", "gb18030")


class Format(StrEnum):
    """The formats of a catalogue."""

    JSON = "json"
    EXCHANGE = "exchange"
    EXCEL = "excel"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may hold when it is unpacked, in MB, and how many rows a sheet may have."""

    megabytes: int
    rows: int


OPERATOR = Limits(1_024, 600_000)
UPLOAD = Limits(100, 60_000)
"""For the command line, and for what staff send."""


class Unreadable(Exception):
    """The file as a whole can't be read; why is the fault."""

    def __init__(self, code: str, place: str = "", **params: Any) -> None:
        super().__init__(code)
        self.fault = Fault.at(Place(place), code, **params)


@contextmanager
def opened(source: Path | BinaryIO, limits: Limits) -> Iterator[tuple[Format, Any]]:
    """The format with the document (JSON) or the sheets of a file or folder, while it is open. Raises `Unreadable`."""
    if isinstance(source, Path) and source.is_dir():
        files = {path.stem: path for path in sorted(source.iterdir()) if path.suffix.lower() == ".csv"}
        if sum(path.stat().st_size for path in files.values()) > limits.megabytes * _MB:
            raise Unreadable("TOO_LARGE", limit=limits.megabytes)
        if not files:
            raise Unreadable("UNKNOWN_FORMAT")
        yield Format.EXCHANGE, [_csv(name, path.read_bytes(), limits) for name, path in files.items()]
        return
    stream = source.open("rb") if isinstance(source, Path) else source
    name = source.stem if isinstance(source, Path) else layout("exchange").tables[0].name
    try:
        if stream.seek(0, io.SEEK_END) == 0:
            raise Unreadable("EMPTY")
        if stream.tell() > limits.megabytes * _MB:
            raise Unreadable("TOO_LARGE", limit=limits.megabytes)
        stream.seek(0)
        with _sniffed(stream, name, limits) as found:
            yield found
    finally:
        if isinstance(source, Path):
            stream.close()


@contextmanager
def _sniffed(stream: BinaryIO, name: str, limits: Limits) -> Iterator[tuple[Format, Any]]:
    start = stream.read(512)
    stream.seek(0)
    if start.startswith(b"PK"):
        with _archive(stream, limits) as archive:
            if "xl/workbook.xml" in archive.namelist():
                yield Format.EXCEL, _workbook(archive, limits)
                return
            names = [one for one in archive.namelist() if one.lower().endswith(".csv")]
            if not names:
                raise Unreadable("UNKNOWN_FORMAT")
            yield Format.EXCHANGE, [_csv(Path(one).stem, _member(archive, one), limits) for one in names]
        return
    if start.startswith(_OLE):
        raise Unreadable("OLD_EXCEL")
    text = _decoded(start, "", errors="ignore").lstrip("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        yield Format.JSON, _json(stream.read())
    elif layout("exchange").key[0] in text:
        yield Format.EXCHANGE, [_csv(name, stream.read(), limits)]
    else:
        raise Unreadable("UNKNOWN_FORMAT")


def _json(data: bytes) -> Any:
    try:
        document = json.loads(_decoded(data, ""))
    except (ValueError, RecursionError):
        raise Unreadable("UNREADABLE") from None
    if not isinstance(document, dict):
        raise Unreadable("UNREADABLE")
    return document


def _decoded(data: bytes, name: str, errors: str = "strict") -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = _ENCODINGS
    for encoding in encodings:
        try:
            return data.decode(encoding, errors)
        except UnicodeDecodeError:
            continue
    raise Unreadable("ENCODING", name)


def _csv(name: str, data: bytes, limits: Limits) -> Sheet:
    return Sheet(name, _limited(name, _csv_rows(name, _decoded(data, name)), limits))


def _csv_rows(name: str, text: str) -> Iterator[tuple[int, Sequence[Any]]]:
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), 1):
            yield number, [unguarded(cell) for cell in cells]
    except csv.Error:
        raise Unreadable("UNREADABLE", name) from None


def _limited(
    name: str, rows: Iterator[tuple[int, Sequence[Any]]], limits: Limits
) -> Iterator[tuple[int, Sequence[Any]]]:
    for number, cells in rows:
        if number > limits.rows:
            raise Unreadable("TOO_MANY", name, limit=limits.rows)
        yield number, cells


@contextmanager
def _archive(stream: BinaryIO, limits: Limits) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(stream)
    except zipfile.BadZipFile:
        raise Unreadable("UNREADABLE") from None
    with archive:
        # A member never unpacks to more than it declares: zipfile stops there and finds the sum wrong.
        if sum(member.file_size for member in archive.infolist()) > limits.megabytes * _MB:
            raise Unreadable("TOO_LARGE", limit=limits.megabytes)
        yield archive


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, RuntimeError, OSError, NotImplementedError, EOFError):
        raise Unreadable("UNREADABLE", name) from None


def _workbook(archive: zipfile.ZipFile, limits: Limits) -> list[Sheet]:
    """The sheets; hidden ones that mean nothing here are the lists behind a template's choices."""
    try:
        book = Workbook(archive)
    except Damaged:
        raise Unreadable("UNREADABLE") from None
    known = {table.name for table in layout("workbook").tables}
    sheets = []
    for raw in book.sheets:
        if not raw.hidden or raw.name in known:
            hidden: set[int] = set()
            sheets.append(Sheet(raw.name, _limited(raw.name, _sheet_rows(book, raw, hidden), limits), hidden))
    return sheets


def _sheet_rows(book: Workbook, raw: RawSheet, hidden: set[int]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Rows with every cell of a merged range holding its value."""
    open_ranges: list[tuple[Range, Any]] = []
    try:
        merged: dict[int, list[Range]] = {}
        for place in book.merged(raw):
            merged.setdefault(place[1], []).append(place)
        for row in book.rows(raw):
            cells = row.cells
            open_ranges = [one for one in open_ranges if one[0][3] >= row.number]
            for place in merged.get(row.number, ()):
                if place[0] <= len(cells):
                    open_ranges.append((place, cells[place[0] - 1]))
            for (left, _, right, _), value in open_ranges:
                cells += [None] * (min(right, MOST_COLUMNS) - len(cells))
                cells[left - 1 : right] = [value] * len(cells[left - 1 : right])
            if row.hidden:
                hidden.add(row.number)
            yield row.number, cells
    except Damaged:
        raise Unreadable("UNREADABLE", raw.name) from None
