"""Reading the days of a calendar out of a file. Pure. What the days may be is `calendars.rules.settle`.

CSV (UTF-8 or GB18030, as spreadsheets write it) with the heading day,is_workday,name, or a JSON list of objects with
these members. Every fault is found in one go.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from casework.calendars.faults.rules import Fault
from casework.calendars.rules import Row

MOST_BYTES = 1024 * 1024
MOST_ROWS = 800
LONGEST_NAME = 50
COLUMNS = ("day", "is_workday", "name")

_HEADS = (sorted(COLUMNS), sorted(COLUMNS[:2]))
_HEADINGS = {"日期": "day", "是否工作日": "is_workday", "名称": "name"}
_YES = frozenset({"true", "1", "yes", "是", "工作日", "上班"})
_NO = frozenset({"false", "0", "no", "否", "休息日", "休息"})
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_SHOWN = 40

Cells = tuple[int, Mapping[str, Any]]


def read(content: bytes) -> tuple[list[Row], list[Fault]]:
    """The rows that can be read, and what is wrong with the others."""
    if not content.strip() or len(content) > MOST_BYTES:
        return [], [Fault("TOO_LARGE", params={"most": MOST_ROWS})]
    text = _text(content)
    if text is None:
        return [], [Fault("UNREADABLE")]
    faults: list[Fault] = []
    cells = list(_objects(text, faults) if text.lstrip()[:1] in {"[", "{"} else _table(text, faults))
    if not faults and not 0 < len(cells) <= MOST_ROWS:
        return [], [Fault("TOO_LARGE", params={"most": MOST_ROWS})]
    rows = [row for number, values in cells[:MOST_ROWS] if (row := _row(number, values, faults)) is not None]
    return rows, faults


def _text(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _objects(text: str, faults: list[Fault]) -> Iterator[Cells]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        faults.append(Fault("UNREADABLE"))
        return
    for number, one in enumerate(found, 1):
        if not isinstance(one, dict):
            faults.append(Fault("ROW_SHAPE", number))
            continue
        faults += [Fault("UNKNOWN_COLUMN", number, "", {"name": _shown(name)}) for name in one if name not in COLUMNS]
        yield number, one


def _table(text: str, faults: list[Fault]) -> Iterator[Cells]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    heading: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not heading:
                heading = _heading(cells)
                if sorted(heading) not in _HEADS:
                    wrong = {*heading} ^ {*COLUMNS} or {*heading}
                    faults.append(Fault("HEADING", reader.line_num, params={"name": _shown("、".join(sorted(wrong)))}))
                    return
                continue
            more = [cell for cell in cells[len(heading) :] if cell.strip()]
            faults += [Fault("UNKNOWN_COLUMN", reader.line_num, "", {"name": _shown(cell)}) for cell in more]
            yield reader.line_num, dict(zip(heading, cells, strict=False))
    except csv.Error:
        faults.append(Fault("ROW_SHAPE", reader.line_num))


def _heading(cells: Sequence[str]) -> list[str]:
    """The columns by our names; the empty ones that spreadsheets leave at the end don't count."""
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return [_HEADINGS.get(name, name) for name in names]


def _row(number: int, values: Mapping[str, Any], faults: list[Fault]) -> Row | None:
    day, worked, name = _day(values.get("day")), _worked(values.get("is_workday")), _name(values.get("name"))
    if day is None:
        faults.append(Fault("DAY_INVALID", number, "day", {"value": _shown(values.get("day"))}))
    if worked is None:
        faults.append(Fault("WORKDAY_INVALID", number, "is_workday", {"value": _shown(values.get("is_workday"))}))
    if name is None:
        faults.append(Fault("NAME_INVALID", number, "name", {"longest": LONGEST_NAME}))
    if day is None or worked is None or name is None:
        return None
    return Row(number, day, worked, name)


def _day(value: Any) -> date | None:
    found = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def _worked(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    said = value.strip().lower() if isinstance(value, str) else ""
    return True if said in _YES else False if said in _NO else None


def _name(value: Any) -> str | None:
    if value is None:
        return ""
    if not isinstance(value, str):
        return None
    name = value.strip()
    if len(name) > LONGEST_NAME or any(unicodedata.category(char) in {"Cc", "Cs"} for char in name):
        return None
    return name


def _shown(value: object) -> str:
    """What stands there, cut short."""
    text = "" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
