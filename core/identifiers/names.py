"""Names of people: kept as on the document, compared by a key (PROTOCOLS 6, PEERS 4.2)."""

from __future__ import annotations

import re
import unicodedata

from core.identifiers.errors import IdentifierError, Reason
from core.identifiers.folding import drop_invisible

MAX_CODE_POINTS = 100

# 〇, 々 and all CJK ideographs: the basic block, extensions A to J and the compatibility forms, rare ones beyond the
# Basic Multilingual Plane included.
_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\U00030000-\U0003347f"
_DOTS = re.compile("[.\u2022\u2027\u2219\u22c5\u30fb\uff0e\uff65]")
_HAS_HAN = re.compile(f"[{_HAN}]")
_HAN_NAME = re.compile(f"[{_HAN}·]+")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_LATIN_MARKS = frozenset(" ,.'-")
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc`", "''''")
_KEY_NOISE = re.compile(r"[\s·,.'-]+")


def normalise_name(raw: str, *, field: str = "name") -> str:
    """A person's name as it stands on the document, cleaned of what typing adds to it.

    Chinese names: all kinds of middle dot become U+00B7, spaces go; characters are never replaced by similar ones.
    Latin names: one space between words, case kept. One to 100 code points. Raises `IdentifierError` for `field`:
    EMPTY, LENGTH, CHARACTERS, DOTS (at an end, or two in a row).
    """
    text = drop_invisible(raw).translate(_FULL_WIDTH).strip()
    if not text:
        raise IdentifierError(Reason.EMPTY, field)
    if _HAS_HAN.search(text):
        text = _DOTS.sub("·", re.sub(r"\s+", "", text))
        if not _HAN_NAME.fullmatch(text):
            raise IdentifierError(Reason.CHARACTERS, field)
        if text[0] == "·" or text[-1] == "·" or "··" in text:
            raise IdentifierError(Reason.DOTS, field)
    else:
        text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text).translate(_APOSTROPHES))
        if not all(_is_latin(character) for character in text) or not any(c.isalpha() for c in text):
            raise IdentifierError(Reason.CHARACTERS, field)
    if len(text) > MAX_CODE_POINTS:
        raise IdentifierError(Reason.LENGTH, field)
    return text


def name_key(name: str) -> str:
    """What to compare two spellings of a name by: without dots, spaces, marks, accents and case.

    Traditional and simplified characters stay different, and so does the order of words: whether those are one person
    is for the population source or a clerk to say.
    """
    text = drop_invisible(name)
    if not _HAN_NAME.fullmatch(text):
        text = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))
        text = "".join(character for character in text if not unicodedata.combining(character))
    return _KEY_NOISE.sub("", _DOTS.sub("", unicodedata.normalize("NFKC", text))).casefold()


def _is_latin(character: str) -> bool:
    if character.isascii():
        return character.isalpha() or character in _LATIN_MARKS
    return unicodedata.name(character, "").startswith("LATIN ")
