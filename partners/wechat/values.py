"""What WeChat accepts as a value of a subscribe template's key (PROTOCOLS 1.5). Lengths are in characters.

A key is a type and a number (`thing1`); one value that breaks its type's rule makes WeChat refuse the whole message
(47003), and so does an empty one.
"""

from __future__ import annotations

import re
import unicodedata

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
_DAY = r"(?:\d{4}年\d{1,2}月\d{1,2}日|\d{4}([-/.])\d{1,2}\1\d{1,2})"
_MOMENT = re.compile(rf"(?:{_DAY}(?: ?{_CLOCK})?|{_CLOCK})", re.ASCII)
_AMOUNT = re.compile(r"[¥￥$€£]?\d{1,10}(?:\.\d+)?元?", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_NOT_VISIBLE_ASCII = re.compile(r"[^\x21-\x7e]")
_NOT_LETTERS = re.compile(r"[^A-Za-z]")
_NOT_HAN = re.compile(r"[^\u4e00-\u9fff]")
_NOT_PHONE = re.compile(r"[^0-9+() -]")
_NOT_SYMBOL = re.compile(r"[\w\s]")

# What is shown where our template has nothing to say.
_PLACEHOLDERS = {"thing": "详见小程序", "character_string": "-", "phrase": "已更新", "name": "本人", "symbol": "-"}
_LONGEST = {
    "thing": 20,
    "number": 32,
    "letter": 32,
    "symbol": 5,
    "character_string": 32,
    "phone_number": 17,
    "car_number": 8,
    "phrase": 5,
}
_LONGEST_NAME, _LONGEST_LATIN_NAME = 10, 20
_UNWANTED = {
    "letter": _NOT_LETTERS,
    "symbol": _NOT_SYMBOL,
    "character_string": _NOT_VISIBLE_ASCII,
    "phone_number": _NOT_PHONE,
    "phrase": _NOT_HAN,
}
_SHAPES = {"number": _NUMBER, "amount": _AMOUNT}


def fit(key: str, value: str) -> str:
    """`value` as WeChat takes it for `key`: cleaned, shortened, or a placeholder when nothing is left.

    Raises `ValueError` for what can't be mended: a time, amount or number of another shape, an unknown type.
    """
    kind = key.rstrip("0123456789")
    text = _one_line(value)
    if kind in {"time", "date"}:
        if not all(_MOMENT.fullmatch(part.strip()) for part in text.split("~", 1)):
            raise ValueError(f"not a time for {key}")
        return text
    if kind == "name":
        longest = _LONGEST_LATIN_NAME if text.isascii() else _LONGEST_NAME
        return text[:longest] or _PLACEHOLDERS[kind]
    if kind in _SHAPES:
        if not _SHAPES[kind].fullmatch(text) or len(text) > _LONGEST.get(kind, len(text)):
            raise ValueError(f"not a value for {key}")
        return text
    if kind not in _LONGEST:
        raise ValueError(f"no such type of key: {key}")
    if kind in _UNWANTED:
        text = _UNWANTED[kind].sub("", text)
    text = _shortened(text, _LONGEST[kind], ellipsis=kind == "thing") or _PLACEHOLDERS.get(kind, "")
    if not text:
        raise ValueError(f"nothing to say for {key}")
    return text


def _one_line(value: str) -> str:
    """Without line breaks and control characters, which WeChat refuses."""
    spaced = re.sub(r"\s+", " ", value)
    return "".join(char for char in spaced if unicodedata.category(char) not in {"Cc", "Cs"}).strip()


def _shortened(text: str, longest: int, *, ellipsis: bool) -> str:
    if len(text) <= longest:
        return text
    return text[: longest - 1] + "…" if ellipsis else text[:longest]
