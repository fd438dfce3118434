"""One sentence for each change. Pure, but for the labels read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casework.catalogue.differences.rules import Change, ChangeKind
from casework.catalogue.rules import limit_text
from core.workdays import Limit, Unit

_LABELS: dict[str, dict[str, list[str]]] = json.loads((Path(__file__).parent / "labels.json").read_text("utf-8"))
_LONG = 60
"""Longer texts are not repeated in a sentence; the answer holds them whole beside it."""
_NAMES = ("name", "text", "question")


def labelled(kind: str, name: str, language: str) -> str:
    """What an element ("elements"), a field of a row ("fields") or a code ("codes") is called."""
    found = _LABELS[kind].get(name)
    return name if found is None else found[language == "en"]


def sentence(change: Change, row_name: str, language: str) -> str:
    """The change in words; `row_name` is what the row is called ("" for an element without rows)."""
    english = language == "en"
    element = labelled("elements", change.element, language)
    what = f"{element} “{row_name}”" if english else f"{element}“{row_name}”"
    if change.kind is ChangeKind.ADDED:
        return f"New: {what}" if english else f"新增{what}"
    if change.kind is ChangeKind.REMOVED:
        return f"No longer: {what}" if english else f"取消{what}"
    if change.kind is ChangeKind.MOVED:
        before, after = change.before + 1, change.after + 1
        if before == after:  # others moved past it
            return f"{what} stands in another order" if english else f"{what}的排列顺序有调整"
        return f"{what} moves from place {before} to {after}" if english else f"{what}由第{before}位调整到第{after}位"
    if change.key is None:
        subject = f"The {element}" if english else element
    else:
        field = labelled("fields", change.field or "", language)
        subject = f"{what}: {field}" if english else f"{what}的{field}"
    before, after = (value_text(value, change.field, language) for value in (change.before, change.after))
    if before is None or after is None:
        return f"{subject} changes" if english else f"{subject}有调整"
    return f"{subject} changes from {before} to {after}" if english else f"{subject}由{before}改为{after}"


def row_name(row: Mapping[str, Any] | None, key: str | int | None) -> str:
    """What a row is called, or its number."""
    return next((str(row[name]) for name in _NAMES if row and row.get(name)), "" if key is None else str(key))


def value_text(value: Any, field: str | None, language: str) -> str | None:
    """A value for a sentence, or None when it is too long or too deep to say."""
    english = language == "en"
    if value is None or value in ("", []):
        text: str | None = "none" if english else "无"
    elif isinstance(value, bool):
        text = ("yes" if value else "no") if english else ("是" if value else "否")
    elif field == "amount_fen":
        text = f"{value // 100}.{value % 100:02d}" + (" yuan" if english else "元")
    elif isinstance(value, Mapping):
        is_limit = set(value) == {"value", "unit"}
        text = limit_text(Limit(value["value"], Unit(value["unit"])), language) if is_limit else None
    elif isinstance(value, list):
        parts = [value_text(part, field, language) for part in value]
        text = None if None in parts else (", " if english else "、").join(map(str, parts))
    elif isinstance(value, str):
        text = f"“{labelled('codes', value, language)}”"
    else:
        text = str(value)
    return text if text is None or len(text) <= _LONG else None
