"""What a template is and how its texts are filled. Pure.

A text holds `{field}`s; `[[…]]` is left out when a field inside it is empty. `{matter}` is written after "您的" / "Your":
it becomes the matter's name in quotation marks, or 办件 where the matter is sensitive (3.17: marriage, credit and police
matters are never named in a message).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

# What a feature may say (`matter_name` and `at` are made here).
GIVEN_FIELDS = frozenset({"matter", "number", "when", "where", "amount", "note", "code"})
ALL_FIELDS = GIVEN_FIELDS | {"matter_name", "at"}

NOTHING_ZH, NOTHING_EN = "详见“宁波政务”", "see the app"

_FIELD = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")
_ISO_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


class ShortMessage(StrEnum):
    """When a template goes out as SMS: always, only to those whom WeChat doesn't reach (3.17), or never."""

    ALWAYS = "always"
    FALLBACK = "fallback"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Wording:
    """Title and text in one language."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """How a template looks as a WeChat subscribe message: the group our account registered it under, values by key."""

    group: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Registration:
    """The template as registered at the SMS platform: its code there by default, and its text with our fields."""

    code: str
    text: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields in the text, each once, in order."""
        return tuple(dict.fromkeys(_FIELD.findall(self.text)))


@dataclass(frozen=True, slots=True)
class Template:
    """One row of the table."""

    code: str
    important: bool
    at_night: bool
    superseded_by: frozenset[str]
    zh: Wording
    en: Wording
    short_message: ShortMessage
    registration: Registration | None
    subscription: Subscription | None


@dataclass(frozen=True, slots=True)
class Policy:
    """What is the same for all templates.

    Quiet hours (Shanghai; they run over midnight), the minutes an important message may stay unread before the SMS, and
    the mini-program's page that a subscribe message opens.
    """

    quiet_from: time
    quiet_until: time
    fallback_minutes: int
    page: str


def fields_used(text: str) -> set[str]:
    """The fields a text names."""
    return set(_FIELD.findall(text))


def display_fields(given: Mapping[str, str], *, sensitive: bool, at: datetime, english: bool) -> dict[str, str]:
    """The fields as texts show them. `at` is the moment of the message in Shanghai time."""
    fields = {name: value.strip() for name, value in given.items()}
    matter = "" if sensitive else fields.get("matter", "")
    if english:
        fields["matter"] = f"“{matter}”" if matter else "application"
        fields["matter_name"] = matter or "Your application"
        fields["at"] = f"{at:%Y-%m-%d %H:%M}"
        return fields
    fields["matter"] = f"“{matter}”" if matter else "办件"
    fields["matter_name"] = matter or "您的办件"
    fields["at"] = _chinese_days(f"{at:%Y-%m-%d %H:%M}")
    if "when" in fields:
        fields["when"] = _chinese_days(fields["when"])
    return fields


def render(text: str, fields: Mapping[str, str], *, nothing: str = NOTHING_ZH) -> str:
    """`text` filled with `fields`; a field that is empty outside `[[…]]` becomes `nothing`."""

    def keep(part: re.Match[str]) -> str:
        return part[1] if all(fields.get(name) for name in _FIELD.findall(part[1])) else ""

    return _FIELD.sub(lambda field: fields.get(field[1]) or nothing, _OPTIONAL.sub(keep, text))


def _chinese_days(text: str) -> str:
    """2026-12-05 as 2026年12月5日, which people and WeChat read alike."""
    return _ISO_DAY.sub(lambda day: f"{day[1]}年{int(day[2])}月{int(day[3])}日", text)
