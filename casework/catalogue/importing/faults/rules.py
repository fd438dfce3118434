"""Faults of a file. Pure. The codes are listed in docs/reference/exchange-tables.md and never change their sense."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_DATA = Path(__file__).resolve().parent / "data" / "texts.json"
_TEXTS: dict[str, list[str]] = json.loads(_DATA.read_text(encoding="utf-8"))
"""Code → what is wrong (zh, en), how to mend it (zh, en)."""
_SCHEMA_SAYS = (
    (r"Must be one of: (.+)\.", "须为以下之一：{0}"),
    (r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\.", "须在{0}至{1}之间"),
    (r"Length must be between (\d+) and (\d+)\.", "须为{0}至{1}字（项）"),
    (r"(?:Longer than maximum length|Shorter than minimum length) (\d+)\.", "长度不合要求（{0}）"),
    (r"Not a valid integer\.", "不是整数"),
    (r"Not a valid boolean\.", "不是“是”或“否”"),
    (r"Not a valid (?:string|list|mapping type)\.", "类型不对"),
    (r"String does not match expected pattern\.", "含有不允许的字符或长度不对"),
)
"""What the schemas say in English, in Chinese."""
CODES = frozenset(_TEXTS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: of a table the sheet (or the table's file), the row from 1 and the column's heading."""

    sheet: str = ""
    row: int | None = None
    column: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.sheet, f"第{self.row}行" if self.row else "", self.column) if part)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a file. `path`: the place in a document, or `place` in words."""

    path: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    place: Place = Place()

    @classmethod
    def at(cls, place: Place, code: str, **params: Any) -> Fault:
        """A fault of a table."""
        return cls(str(place), code, params, place)

    def _told(self, which: int) -> str:
        return _TEXTS[self.code][which].format_map(self.params)

    @property
    def zh(self) -> str:
        """What is wrong, in Chinese."""
        return self._told(0)

    @property
    def en(self) -> str:
        """What is wrong, in English."""
        return self._told(1)

    @property
    def mend_zh(self) -> str:
        """How to mend it, in Chinese."""
        return self._told(2)

    @property
    def mend_en(self) -> str:
        """How to mend it, in English."""
        return self._told(3)

    def told(self) -> dict[str, Any]:
        """The fault as an answer."""
        return {
            "code": self.code, "path": self.path, "sheet": self.place.sheet, "row": self.place.row,
            "column": self.place.column, "problem": f"{self.zh} / {self.en}", "mend": f"{self.mend_zh} / {self.mend_en}",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.path}: {self.en} [{self.code}] {self.zh}；{self.mend_zh} / {self.mend_en}"


def shape(path: str, message: str, place: Place | None = None) -> Fault:
    """A fault that a schema found, with the code that fits its message best."""
    where = place or Place()
    if "Unknown field" in message:
        return Fault(path, "UNKNOWN_FIELD", {"name": path.rsplit(".", 1)[-1]}, where)
    if "Missing data" in message or message == "Field may not be null.":
        return Fault(path, "MISSING", {}, where)
    zh, _, en = message.partition(" / ")
    return Fault(path, "SHAPE", {"zh": zh if en else _in_chinese(message), "en": en or message}, where)


def _in_chinese(message: str) -> str:
    for says, zh in _SCHEMA_SAYS:
        if found := re.fullmatch(says, message):
            return zh.format(*found.groups())
    return f"此值不合要求：{message}"


def situation(path: str, problem: str, mend: str, place: Place | None = None) -> Fault:
    """What the linter objects to, whose texts are in both languages."""
    zh, _, en = problem.partition(" / ")
    mend_zh, _, mend_en = mend.partition(" / ")
    return Fault(path, "SITUATION", {"zh": zh, "en": en, "mend_zh": mend_zh, "mend_en": mend_en}, place or Place())
