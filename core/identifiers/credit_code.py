"""Unified social credit codes of organisations (GB 32100-2015, N28)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.identifiers.errors import IdentifierError, Reason
from core.identifiers.folding import compact

_LENGTH = 18
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS = tuple(pow(3, i, 31) for i in range(_LENGTH - 1))
_SHAPE = re.compile(f"[{_ALPHABET}]*")
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A credit code. Some legacy codes carry an organisation code whose own check fails: show a hint, don't refuse."""

    code: str
    organisation_code_ok: bool


def normalise_credit_code(raw: str, *, field: str = "credit_code") -> CreditCode:
    """The credit code that somebody typed as `raw`.

    Raises `IdentifierError` for `field`: EMPTY, LENGTH, CHARACTERS (I, O, Z, S and V don't occur), CHECKSUM.
    """
    text = compact(raw)
    if not text:
        raise IdentifierError(Reason.EMPTY, field)
    if len(text) != _LENGTH:
        raise IdentifierError(Reason.LENGTH, field)
    if not _SHAPE.fullmatch(text):
        raise IdentifierError(Reason.CHARACTERS, field)
    if not has_valid_check(text):
        raise IdentifierError(Reason.CHECKSUM, field)
    return CreditCode(text, _organisation_code_ok(text[8:17]))


def has_valid_check(code: str) -> bool:
    """Whether the last of 18 characters of the code's alphabet is the check character of the others."""
    total = sum(_VALUES[character] * weight for character, weight in zip(code, _WEIGHTS, strict=False))
    return _VALUES[code[-1]] == -total % 31


def _organisation_code_ok(code: str) -> bool:
    """The GB 11714 check of the nine characters in the middle; letters count 10 (A) to 35 (Z)."""
    total = sum(int(character, 36) * weight for character, weight in zip(code, _ORGANISATION_WEIGHTS, strict=False))
    return code[-1] == "0123456789X"[-total % 11]
