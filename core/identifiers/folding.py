"""Folding of typed text: what a keyboard or a copy adds to a number or a name is taken away first (PROTOCOLS 6)."""

from __future__ import annotations

import re
import unicodedata

# Zero-width and directional marks, soft hyphen, byte order mark, variation selectors: invisible, never part of a value.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
# White space, underscores and all kinds of dash.
_GAPS = re.compile("[\\s_\u2010-\u2015\u2212-]+")


def drop_invisible(text: str) -> str:
    """`text` without characters that can't be seen."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def fold(text: str) -> str:
    """`text` for a number: NFKC (full-width to ASCII), without invisible characters, trimmed."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", drop_invisible(text)).strip()


def compact(text: str) -> str:
    """`text` for a number that people write in groups: folded, without spaces and dashes, in capitals."""
    return _GAPS.sub("", fold(text)).upper()
