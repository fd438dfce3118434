"""What the sign-in pages say, in plain Chinese and English: short sentences, no words of the trade (`texts.json`).

`{name}` is filled in by the page. A test keeps the two languages and the templates in step.
"""

from __future__ import annotations

import json
from pathlib import Path

_FILE = Path(__file__).with_name("texts.json")

TEXTS: dict[str, tuple[str, str]] = {
    key: (zh, en) for key, (zh, en) in json.loads(_FILE.read_text(encoding="utf-8")).items()
}
"""Every sentence: Chinese, English."""

KINDS: dict[str, str] = {
    "111": "resident ID card",
    "X01": "residence permit for Hong Kong, Macao and Taiwan residents",
    "553": "foreign permanent resident ID card",
    "516": "mainland travel permit for Hong Kong and Macao residents",
    "511": "mainland travel permit for Taiwan residents",
    "414": "passport",
    "114": "military officer's card",
}
"""English names of the documents; the Chinese ones are `DocumentType.label`."""


def text(language: str, key: str, **values: object) -> str:
    """The sentence `key` in `language` ("en", else Chinese), filled in. Raises `KeyError` for an unknown one."""
    return TEXTS[key][language == "en"].format(**values)
