"""Reading a workbook's cells. Little of it is in memory at a time but its texts; nothing in it is ever run.

Only what a catalogue needs: values, formulas as such, days, merged ranges, hidden rows. Raises `Damaged` for what isn't
a workbook, also while rows are read.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from casework.catalogue.importing.tables.rules import FORMULA

MOST_COLUMNS = 200
_CHUNK = 1 << 16
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_LONGEST_MERGED = 100
_COORDINATE = re.compile(r"([A-Z]{1,3})\d+")

Range = tuple[int, int, int, int]
"""Left, top, right and bottom, from 1."""


class Damaged(Exception):
    """The file isn't a workbook, or is damaged."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row from 1 and its cells."""

    number: int
    cells: list[Any]
    hidden: bool


@dataclass(frozen=True, slots=True)
class RawSheet:
    """A sheet that isn't read yet."""

    name: str
    hidden: bool
    member: str


@dataclass(frozen=True, slots=True)
class _Styles:
    """By style, whether it shows a number as a day; and from when days count."""

    days: Sequence[bool]
    epoch: Any


class Workbook:
    """An open workbook."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Read all but the sheets. Raises `Damaged`."""
        self._archive = archive
        self._members = set(archive.namelist())
        targets = {key: target for key, target in self._relations("xl/_rels/workbook.xml.rels") if target}
        self.sheets: list[RawSheet] = []
        self._1904 = False
        for name, attributes in _elements(self._read("xl/workbook.xml")):
            if name == "workbookPr":
                self._1904 = attributes.get("date1904") in ("1", "true")
            elif name == "sheet":
                key = next(
                    (value for known, value in attributes.items() if known.endswith("id") and value in targets), ""
                )
                state = attributes.get("state", "visible")
                if key and targets[key] in self._members:
                    self.sheets.append(RawSheet(attributes.get("name", ""), state != "visible", targets[key]))
        if not self.sheets:
            raise Damaged("no sheets")
        self._styles = self._days()
        self._texts = self._shared()

    def _relations(self, member: str) -> Iterator[tuple[str, str]]:
        for name, attributes in _elements(self._read(member)):
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes.get("Target", "")
                path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
                yield attributes.get("Id", ""), path

    def _read(self, member: str) -> Iterator[bytes]:
        if member not in self._members:
            raise Damaged(member)
        try:
            with self._archive.open(member) as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, NotImplementedError, EOFError) as broken:
            raise Damaged(member) from broken

    def _days(self) -> _Styles:
        formats, days, within = dict(BUILTIN_FORMATS), [], False
        if "xl/styles.xml" in self._members:
            for name, attributes in _elements(self._read("xl/styles.xml"), ends=True):
                if name == "numFmt" and attributes.get("numFmtId", "").isdecimal():
                    formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
                elif name in ("cellXfs", "/cellXfs"):
                    within = name == "cellXfs"
                elif name == "xf" and within:
                    number = attributes.get("numFmtId", "0")
                    days.append(bool(is_date_format(formats.get(int(number) if number.isdecimal() else 0, "General"))))
        return _Styles(days, CALENDAR_MAC_1904 if self._1904 else CALENDAR_WINDOWS_1900)

    def _shared(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._members:
            return []
        texts = _Texts()
        _run(texts.parser, self._read("xl/sharedStrings.xml"))
        return texts.found

    def merged(self, sheet: RawSheet) -> list[Range]:
        """The merged ranges of a sheet. They stand after its rows, so the sheet is looked through for them once."""
        found: list[Range] = []
        rest = b""
        for chunk in self._read(sheet.member):
            data = rest + chunk
            last = 0
            for match in _MERGED.finditer(data):
                left, top, right, bottom = match.groups()
                found.append((_column(left.decode()), int(top), _column(right.decode()), int(bottom)))
                last = match.end()
            rest = data[max(last, len(data) - _LONGEST_MERGED) :]
        return found

    def rows(self, sheet: RawSheet) -> Iterator[Row]:
        """The rows that the sheet has, in order. Raises `Damaged`."""
        reading = _Rows(self._texts, self._styles)
        for chunk in self._read(sheet.member):
            _feed(reading.parser, chunk)
            yield from reading.done
            reading.done.clear()
        _feed(reading.parser, b"", last=True)
        yield from reading.done


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def _refuse(*_: Any) -> None:
    """No workbook has a document type; entities are how small files become huge ones."""
    raise Damaged("a document type")


def _feed(parser: expat.XMLParserType, chunk: bytes, *, last: bool = False) -> None:
    try:
        parser.Parse(chunk, last)
    except (expat.ExpatError, ValueError, IndexError, KeyError, OverflowError) as broken:
        raise Damaged("XML") from broken


def _run(parser: expat.XMLParserType, chunks: Iterator[bytes]) -> None:
    for chunk in chunks:
        _feed(parser, chunk)
    _feed(parser, b"", last=True)


def _elements(chunks: Iterator[bytes], *, ends: bool = False) -> list[tuple[str, dict[str, str]]]:
    """Elements of a small part by their local names; with `ends`, an end as the name after a slash."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = _parser()
    parser.StartElementHandler = lambda name, attributes: found.append((name.rpartition(" ")[2], attributes))
    if ends:
        parser.EndElementHandler = lambda name: found.append((f"/{name.rpartition(' ')[2]}", {}))
    _run(parser, chunks)
    return found


class _Texts:
    """The shared texts; how something is read aloud (rPh) is no part of one."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] = []
        self._aloud = self._wanted = False
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "si":
            self._parts = []
        elif local == "rPh":
            self._aloud = True
        elif local == "t":
            self._wanted = not self._aloud

    def _end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local == "si":
            self.found.append("".join(self._parts))
        elif local == "rPh":
            self._aloud = False
        elif local == "t":
            self._wanted = False

    def _data(self, text: str) -> None:
        if self._wanted:
            self._parts.append(text)


class _Rows:
    """The rows of a sheet as far as it has been read."""

    def __init__(self, texts: Sequence[str], styles: _Styles) -> None:
        self.done: list[Row] = []
        self._texts, self._styles = texts, styles
        self._number = self._at = 0
        self._cells: list[Any] = []
        self._hidden = self._formula = self._wanted = False
        self._type, self._style, self._parts = "n", 0, list[str]()
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "c":
            where = _COORDINATE.match(attributes.get("r", ""))
            self._at = _column(where[1]) if where else self._at + 1
            self._type = attributes.get("t", "n")
            self._style = int(attributes.get("s", 0))
            self._parts, self._formula = [], False
        elif local in ("v", "t"):
            self._wanted = True
        elif local == "f":
            self._formula = True
        elif local == "row":
            self._number = int(attributes.get("r", self._number + 1))
            self._cells, self._at = [], 0
            self._hidden = attributes.get("hidden") in ("1", "true")

    def _end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local == "c":
            if self._at <= MOST_COLUMNS:
                self._cells += [None] * (self._at - 1 - len(self._cells))
                self._cells.append(self._value())
        elif local in ("v", "t"):
            self._wanted = False
        elif local == "row":
            self.done.append(Row(self._number, self._cells, self._hidden))

    def _data(self, text: str) -> None:
        if self._wanted:
            self._parts.append(text)

    def _value(self) -> Any:
        if self._formula:
            return FORMULA
        text = "".join(self._parts)
        if self._type == "s":
            return self._texts[int(text)]
        if self._type in ("inlineStr", "str", "e", "d") or not text:
            return text or None
        if self._type == "b":
            return text == "1"
        return self._number_or_day(float(text))

    def _number_or_day(self, number: float) -> Any:
        if self._style < len(self._styles.days) and self._styles.days[self._style]:
            return from_excel(number, self._styles.epoch)
        return int(number) if number.is_integer() else number
