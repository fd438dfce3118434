"""Columns: how a cell becomes a value of a record and the other way round. Pure.

Tolerant where people type: full-width digits, spaces, 是/√/1, dates as text. A text that a spreadsheet would run as a formula is
written so that it can't be, and read back as it was.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from casework.catalogue.elements.rules import USE_LEVELS

_DATA = Path(__file__).resolve().parent / "data"
_YES = frozenset({"是", "1", "true", "yes", "y", "√", "✓", "有", "支持"})
_NO = frozenset({"否", "0", "false", "no", "n", "×", "x", "无", "不支持"})
_DATE = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[ T]00:00(?::00)?)?")
_SPLIT = re.compile(r"[、,，;；\s]+")
_RISKY = re.compile(r"'*[=+\-@\t\r]")
_BAR = "｜"
_AMOUNT = re.compile(r"(\d{1,10})(?:[.．](\d{1,2}))?\s*元\s*[/／](.+)")
_FORMULA_TOLD = re.compile(r"按公式([A-Z_]{1,40})[/／](.+)")
_REMOVALS = frozenset({"D", "DELETE", "删除"})
_IN_USE = frozenset({"", "1", "在用"})


SPREAD = {
    "tariff": ("amount_fen", "formula", "unit"),
    "necessity": ("required", "tolerable", "condition"),
    "beside": ("zone_code", "department_id"),
}
"""One column that says several fields of a row."""


class Formula:
    """A cell that holds a formula."""


FORMULA = Formula()
UNSAID = object()
"""The value of an empty cell where emptiness says nothing."""


@dataclass(frozen=True, slots=True)
class CellFault(Exception):  # a finding about a cell
    """What is wrong with a cell."""

    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, the element or field it holds, how it is written, and how each value may be spelt."""

    heading: str
    field: str
    kind: str
    choices: Mapping[str, tuple[str, ...]]
    """Value → its spellings; the first is written."""
    known: Mapping[str, str]
    """Spelling, or value → value."""


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet or file: of items, of more about the items of the one before (`extends`), or of the rows of a `part`.

    `not_kept`: columns that nobody here keeps; `housekeeping`: those that say nothing about the item.
    """

    name: str
    part: str
    columns: tuple[Column, ...]
    extends: bool
    not_kept: frozenset[str]
    housekeeping: frozenset[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of a format, and the headings of the columns that say which item a row belongs to."""

    key: tuple[str, ...]
    tables: tuple[Table, ...]


@cache
def layout(name: str) -> Layout:
    """`workbook` or `exchange`."""
    data = json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
    return Layout(
        tuple(data["key"]),
        tuple(
            Table(
                table["name"],
                table.get("part", ""),
                tuple(_column(column) for column in table["columns"]),
                table.get("extends", False),
                frozenset(table.get("not_kept", ())),
                frozenset(table.get("housekeeping", ())),
            )
            for table in data["tables"]
        ),
    )


def _column(data: Mapping[str, Any]) -> Column:
    choices = {
        value: (spelt,) if isinstance(spelt, str) else tuple(spelt) for value, spelt in data.get("choices", {}).items()
    }
    known = {value: value for value in choices}
    # A spelling comes before a value: "1" is what the table means by it.
    known |= {folded(spelling): value for value, spelt in choices.items() for spelling in spelt}
    return Column(data["heading"], data["field"], data["kind"], choices, known)


def folded(value: Any) -> str:
    """A cell as one line of plain text: full-width forms folded, spaces trimmed."""
    text = _text(value)
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    return str(value).replace("\r\n", "\n").strip()


def parse(column: Column, value: Any) -> Any:
    """The value of a cell; `UNSAID` for an empty one whose kind has no empty value. Raises `CellFault`."""
    if isinstance(value, Formula):
        raise CellFault("FORMULA", {})
    return _PARSERS[column.kind](column, value)


def _whole(_column: Column, value: Any) -> Any:
    text = folded(value)
    if not text:
        return UNSAID
    if not re.fullmatch(r"-?\d{1,12}", text):
        raise CellFault("NOT_A_NUMBER", {"value": text[:50]})
    return int(text)


def _flag(_column: Column, value: Any) -> Any:
    text = folded(value).casefold()
    if not text:
        return UNSAID
    if text not in _YES | _NO:
        raise CellFault("NOT_A_FLAG", {"value": text[:50]})
    return text in _YES


def _choice(column: Column, value: Any) -> Any:
    text = folded(value)
    if text in column.known:
        return column.known[text]
    if not text:
        return UNSAID
    told = "、".join("=".join(spelt[:2]) for spelt in column.choices.values() if spelt[0])
    raise CellFault("NOT_A_CHOICE", {"value": text[:50], "choices": told})


def _json(_column: Column, value: Any) -> Any:
    text = _text(value)
    try:
        return json.loads(text) if text else UNSAID
    except ValueError:
        raise CellFault("NOT_JSON", {}) from None


def _past(_column: Column, value: Any) -> Any:
    """A day as it is typed."""
    text = folded(value)
    if not text:
        return UNSAID
    found = _DATE.fullmatch(text)
    try:
        year, *rest = [int(part) for part in found.groups() if part] if found else [0, 0, 0]
        return date(year, *rest)
    except ValueError:
        raise CellFault("NOT_A_DATE", {"value": text[:50]}) from None


def _lines(value: Any) -> list[str]:
    return [line.strip() for line in _text(value).splitlines() if line.strip()]


def _parts(value: Any) -> list[str]:
    return [part for part in _SPLIT.split(folded(value)) if part]


def _basis(_column: Column, value: Any) -> Any:
    return [
        dict(zip(("name", "clause"), map(str.strip, line.partition(_BAR)[::2]), strict=True)) for line in _lines(value)
    ]


def _options(_column: Column, value: Any) -> Any:
    return [
        dict(zip(("value", "label"), map(str.strip, line.partition("=")[::2]), strict=True)) for line in _lines(value)
    ]


def _tariff(_column: Column, value: Any) -> Any:
    """收费标准: what one costs. How a formula computes stays with us: only that there is one is told."""
    text = _text(value)
    if not text:
        return UNSAID
    if found := _AMOUNT.fullmatch(text):
        yuan, fen, unit = found.groups()
        return {"amount_fen": int(yuan) * 100 + int((fen or "").ljust(2, "0")), "formula": "", "unit": unit}
    if found := _FORMULA_TOLD.fullmatch(text):
        return {"amount_fen": None, "formula": found[1], "unit": found[2]}
    raise CellFault("TARIFF", {"value": text[:50]})


def _extra(column: Column, value: Any) -> Any:
    """扩展字段: what others write into it says nothing here."""
    try:
        found = json.loads(_text(value) or "{}")
    except ValueError:
        return UNSAID
    if not isinstance(found, dict):
        return UNSAID
    return {name: folded(found[name]) for name in SPREAD[column.field] if found.get(name)} or UNSAID


def _operation(_column: Column, value: Any) -> Any:
    """同步类型: a row that asks to delete is no part of a catalogue."""
    text = folded(value).upper()
    if text in _REMOVALS:
        raise CellFault("REMOVAL", {})
    return UNSAID


def _in_use(_column: Column, value: Any) -> Any:
    """事项状态."""
    text = folded(value)
    if text not in _IN_USE:
        raise CellFault("NOT_IN_USE", {"value": text[:50]})
    return UNSAID


def _or_none(parser: Callable[[Column, Any], Any]) -> Callable[[Column, Any], Any]:
    def run(column: Column, value: Any) -> Any:
        found = parser(column, value)
        return None if found is UNSAID or found == "" else found

    return run


_PARSERS: dict[str, Callable[[Column, Any], Any]] = {
    "text": lambda _, value: _text(value),
    "code": lambda _, value: folded(value),
    "code_or_none": _or_none(lambda _, value: folded(value)),
    "whole": _whole,
    "whole_or_none": _or_none(_whole),
    "flag": _flag,
    "bit": _flag,
    "choice": _choice,
    "choices": lambda column, value: [_choice(column, part) for part in _parts(value)],
    "list": lambda _, value: _parts(value),
    "lines": lambda _, value: _lines(value),
    "basis": _basis,
    "options": _options,
    "json": _json,
    "json_or_none": _or_none(_json),
    "past": _past,
    "tariff": _tariff,
    "extra": _extra,
    "mark": lambda _, __: UNSAID,
    "operation": _operation,
    "in_use": _in_use,
    "level": lambda _, value: USE_LEVELS.get(folded(value), _text(value)),
}


def show(column: Column, value: Any) -> str | int | None:
    """A value as it is written into a cell."""
    if value is None:
        return None
    if isinstance(value, bool):
        return int(value) if column.kind == "bit" else ("是" if value else "否")
    if isinstance(value, int):
        return value
    write = _WRITERS.get(column.kind)
    return write(column, value) if write is not None else str(value)


def _cost(line: Mapping[str, Any]) -> str:
    if line["amount_fen"] is None:
        return f"按公式{line['formula']}"
    yuan, fen = divmod(line["amount_fen"], 100)
    return f"{yuan}.{fen:02d}元" if fen else f"{yuan}元"


def _written_json(_column: Column, value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


_WRITERS: dict[str, Callable[[Column, Any], str]] = {
    "choice": lambda column, value: column.choices[value][0],
    "choices": lambda column, value: "、".join(column.choices[one][0] for one in value),
    "list": lambda _, value: "、".join(value),
    "lines": lambda _, value: "\n".join(value),
    "basis": lambda _, value: "\n".join(
        f"{row['name']}{_BAR}{row['clause']}" if row["clause"] else row["name"] for row in value
    ),
    "options": lambda _, value: "\n".join(f"{row['value']}={row['label']}" for row in value),
    "extra": lambda column, row: _written_json(column, {name: row[name] for name in SPREAD[column.field]}),
    "tariff": lambda _, line: f"{_cost(line)}/{line['unit']}",
    "json": _written_json,
    "json_or_none": _written_json,
}


def guarded(text: str) -> str:
    """A text of a CSV file so that no spreadsheet runs it."""
    return f"'{text}" if _RISKY.match(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if text.startswith("'") and _RISKY.match(text) else text
