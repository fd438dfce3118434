"""A workbook of texts and numbers, written row by row into several sheets at once; its rows wait on disk."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self
from xml.sax.saxutils import escape, quoteattr

from openpyxl.utils import get_column_letter

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FROZEN = '<pane xSplit="1" ySplit="1" topLeftCell="B2" activePane="bottomRight" state="frozen"/>'
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_PLAIN, _BOLD, _TEXT = 0, 1, 2
"""Styles: a heading is bold; what looks like a formula is marked as text."""
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class WorkbookWriter:
    """Write with `row`; the file is there when the `with` block ends without an exception."""

    def __init__(self, target: Path | BinaryIO, headings: Mapping[str, Sequence[str]]) -> None:
        """`headings`: sheet → its headings, in order."""
        self._target, self._names = target, list(headings)
        self._stack = ExitStack()
        self._texts: dict[str, int] = {}
        self._sheets: dict[str, IO[str]] = {}
        self._counts = dict.fromkeys(headings, 0)
        self._letters = [get_column_letter(at) for at in range(1, max(map(len, headings.values())) + 1)]
        for name, columns in headings.items():
            self._sheets[name] = self._stack.enter_context(
                tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115  # the stack closes it
            )
            self._sheets[name].write(
                f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">{_FROZEN}</sheetView>'
                "</sheetViews><sheetData>"
            )
            self._write(name, columns, _BOLD)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Put the file together, unless something went wrong."""
        with self._stack:
            if kind is None:
                self._finish()

    def row(self, sheet: str, cells: Sequence[str | int | None], texts: frozenset[int] | set[int]) -> None:
        """Add a row; `texts`: the places of those that must not be taken for formulas."""
        self._write(sheet, cells, _PLAIN, texts)

    def _write(
        self, sheet: str, cells: Sequence[str | int | None], style: int, texts: frozenset[int] | set[int] = frozenset()
    ) -> None:
        self._counts[sheet] = number = self._counts[sheet] + 1
        parts = [f'<row r="{number}">']
        shared, letters = self._texts, self._letters
        for at, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, str):
                index = shared.setdefault(cell, len(shared))
                shown = _TEXT if at in texts else style
                parts.append(f'<c r="{letters[at]}{number}" t="s" s="{shown}"><v>{index}</v></c>')
            else:
                parts.append(f'<c r="{letters[at]}{number}"><v>{cell}</v></c>')
        parts.append("</row>")
        self._sheets[sheet].write("".join(parts))

    def _finish(self) -> None:
        with zipfile.ZipFile(self._target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in self._small():
                archive.writestr(name, _HEAD + text)
            for number, file in enumerate(self._sheets.values(), 1):
                file.write("</sheetData></worksheet>")
                file.seek(0)
                with archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as member:
                    shutil.copyfileobj(file.buffer, member, 1 << 20)  # type: ignore[attr-defined]
            with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as member:
                member.write(f'{_HEAD}<sst xmlns="{_MAIN}" uniqueCount="{len(self._texts)}">'.encode())
                for text in self._texts:
                    written = escape(_NOT_XML.sub("", text).replace("\r", "\n"))
                    member.write(f'<si><t xml:space="preserve">{written}</t></si>'.encode())
                member.write(b"</sst>")

    def _small(self) -> list[tuple[str, str]]:
        numbers = range(1, len(self._names) + 1)
        sheets = "".join(
            f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
            for number, name in zip(numbers, self._names, strict=True)
        )
        parts = [*((f"worksheets/sheet{number}.xml", "worksheet") for number in numbers)]
        parts += [("styles.xml", "styles"), ("sharedStrings.xml", "sharedStrings")]
        types = "".join(f'<Override PartName="/xl/{part}" ContentType="{_KIND}.{kind}+xml"/>' for part, kind in parts)
        relations = "".join(
            f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{part}"/>'
            for number, (part, kind) in enumerate(parts, 1)
        )
        return [
            (
                "[Content_Types].xml",
                f'<Types xmlns="{_PACKAGE}/content-types">'
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>{types}</Types>',
            ),
            (
                "_rels/.rels",
                f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument"'
                ' Target="xl/workbook.xml"/></Relationships>',
            ),
            ("xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'),
            (
                "xl/_rels/workbook.xml.rels",
                f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>',
            ),
            ("xl/styles.xml", _STYLES),
        ]
