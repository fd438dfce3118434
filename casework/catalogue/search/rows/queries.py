"""Reading rows by their stamps. Safe for threads: a dictionary that became too big is left behind, never emptied."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import column, text

from core.statements import Statement

_MOST_TEXTS, _MOST_LINES = 30_000, 6_000
"""Rows that are kept: about 0.7 kB each of texts, 0.9 kB of lines."""


class Line(NamedTuple):
    """A row as a list shows it; `answer` is its JSON."""

    item_id: str
    is_sample: bool
    answer: str


class _Kept:
    def __init__(self, columns: str, most: int) -> None:
        asked = text(f"SELECT stamp, {columns} FROM item_search WHERE stamp = ANY(:stamps)")  # noqa: S608  # fixed texts
        self._statement = Statement(asked.columns(*map(column, ("stamp", *columns.split(", ")))))
        self._most = most
        self._rows: dict[int, tuple[Any, ...]] = {}

    def read(self, stamps: Collection[int]) -> dict[int, tuple[Any, ...]]:
        """The columns of these rows; those that are no more aren't there."""
        kept = self._rows
        missing = [stamp for stamp in stamps if stamp not in kept]
        if not missing:
            return {stamp: kept[stamp] for stamp in stamps}
        found = {stamp: kept[stamp] for stamp in stamps if stamp in kept}
        read = {row[0]: row[1:] for row in self._statement.alone(stamps=missing)}
        if len(kept) + len(read) > self._most:
            kept = self._rows = {}
        kept.update(read)
        return found | read


_TEXTS = _Kept("item_id, name, head, also, body, said, initials, hot", _MOST_TEXTS)
_LINES = {language: _Kept(f"item_id, is_sample, entry_{language}", _MOST_LINES) for language in ("zh", "en")}


def texts(stamps: Collection[int]) -> dict[int, tuple[Any, ...]]:
    """What is compared of these rows, in the order of `comparing.Candidate`, without its uses."""
    return _TEXTS.read(stamps)


def lines(stamps: Collection[int], language: str) -> dict[int, Line]:
    """These rows as a list shows them, in English or else in Chinese."""
    kept = _LINES["en" if language == "en" else "zh"]
    return {stamp: Line._make(row) for stamp, row in kept.read(stamps).items()}
