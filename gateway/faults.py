"""Faults of a file as a table for a person at a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from casework.catalogue.importing.faults.rules import Fault

MOST_SHOWN = 500
_HEADINGS = ("表或位置 / where", "行 / row", "列 / column", "问题 / what is wrong", "改法 / how to mend it")
_WIDEST = 40
"""A longer place has its row of the table drawn apart rather than every other one wider."""


def fault_table(faults: Sequence[Fault]) -> Iterator[str]:
    """Lines: headings, two for each fault (Chinese, English), and how many more there are."""
    rows = [cells for fault in faults[:MOST_SHOWN] for cells in _cells(fault)]
    widths = [min(_WIDEST, max(_width(row[at]) for row in (_HEADINGS, *rows))) for at in range(4)]
    for row in (_HEADINGS, *rows):
        padded = (cell + " " * (wide - _width(cell)) for cell, wide in zip(row, widths, strict=False))
        yield "  ".join((*padded, row[-1])).rstrip()
    if len(faults) > MOST_SHOWN:
        yield f"… {len(faults) - MOST_SHOWN} more"


def _cells(fault: Fault) -> Iterator[tuple[str, ...]]:
    place, row = fault.place, str(fault.place.row or "")
    yield (place.sheet or fault.path, row, place.column, fault.zh, fault.mend_zh)
    yield ("", "", "", fault.en, fault.mend_en)


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
