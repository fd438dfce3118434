"""Kinds of consent, the texts by their day, and who must give one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ConsentKind(StrEnum):
    """What is consented to: data that needs separate consent (P-1), and the general notice."""

    PRIVACY = "PRIVACY"
    FACE = "FACE"
    LOCATION = "LOCATION"
    HEALTH = "HEALTH"
    FINANCE = "FINANCE"
    MINOR = "MINOR"


@dataclass(frozen=True, slots=True)
class Wording:
    """A text in one language, with what P-1 asks to be named."""

    title: str
    body: str
    legal_basis: str
    fields: tuple[str, ...]
    retention: str


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One version of the text of a kind, shown from `effective_from` (Shanghai day) until the next one begins."""

    kind: ConsentKind
    version: str
    effective_from: date
    zh: Wording
    en: Wording


# PIPL 31: under this age everything is sensitive, and the guardian decides.
GUARDIAN_UNDER = 14


def in_force(texts: Iterable[ConsentText], day: date) -> Mapping[ConsentKind, ConsentText]:
    """Of each kind the text that began last on or before `day`; a kind without one isn't asked for yet."""
    found: dict[ConsentKind, ConsentText] = {}
    for text in sorted(texts, key=lambda text: text.effective_from):
        if text.effective_from <= day:
            found[text.kind] = text
    return found


def age(birth_date: date, day: date) -> int:
    """Whole years on `day`; somebody born on 29 February is a year older on 1 March of a common year."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def guardian_decides(birth_date: date | None, day: date) -> bool:
    """Whether only a guardian can consent for a person born then; not for one whose birth date isn't proven."""
    return birth_date is not None and age(birth_date, day) < GUARDIAN_UNDER
