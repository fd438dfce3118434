"""Phone numbers: mainland mobiles by rule, others in international form (PROTOCOLS 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.identifiers.errors import IdentifierError, Reason
from core.identifiers.folding import fold

_NOISE = re.compile("[\\s().\u2010-\u2015\u2212-]+")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
# Thirteen digits, for machines: they can't receive a one-time code.
_MACHINE = re.compile(r"1(?:40|44|06)[0-9]{10}")
_E164 = re.compile(r"[1-9][0-9]{6,14}")
# Mobiles of the places where many people here come from; the trunk 0 of Taiwan is dropped before.
_NEIGHBOURS = {"852": re.compile(r"[4-9][0-9]{7}"), "853": re.compile(r"6[0-9]{7}"), "886": re.compile(r"9[0-9]{8}")}


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A mobile number; shows nothing of it when printed.

    `e164` is "+8613…". `national` is what SMS providers want: 11 digits for the mainland, else the international digits
    without "+".
    """

    e164: str = field(repr=False)
    national: str = field(repr=False)
    is_mainland: bool


def normalise_phone(raw: str, *, field: str = "phone") -> PhoneNumber:
    """The mobile number that somebody typed as `raw`: 11 digits, with or without +86, 0086 or 86, or "+" and abroad.

    Segments are not checked (new ones open); 13-digit machine numbers are refused. Raises `IdentifierError` for
    `field`: EMPTY, CHARACTERS, COUNTRY_CODE, NOT_MOBILE, MACHINE_NUMBER, LENGTH.
    """
    text = _NOISE.sub("", fold(raw))
    if not text:
        raise IdentifierError(Reason.EMPTY, field)
    if text.startswith("00"):
        text = "+" + text[2:]
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise IdentifierError(Reason.CHARACTERS, field)
    if text[0] != "+":
        if len(digits) == 13 and digits.startswith("86"):
            return _mainland(digits[2:], field)
        if digits[0] != "1":
            raise IdentifierError(Reason.COUNTRY_CODE, field)
        return _mainland(digits, field)
    if digits.startswith("86"):
        return _mainland(digits[2:], field)
    return _abroad(digits, field)


def _mainland(digits: str, field: str) -> PhoneNumber:
    if _MOBILE.fullmatch(digits):
        return PhoneNumber("+86" + digits, digits, is_mainland=True)
    if _MACHINE.fullmatch(digits):
        raise IdentifierError(Reason.MACHINE_NUMBER, field)
    raise IdentifierError(Reason.LENGTH if digits[:1] == "1" else Reason.NOT_MOBILE, field)


def _abroad(digits: str, field: str) -> PhoneNumber:
    neighbour = _NEIGHBOURS.get(digits[:3])
    if neighbour:
        rest = digits[3:].removeprefix("0") if digits.startswith("886") else digits[3:]
        if not neighbour.fullmatch(rest):
            raise IdentifierError(Reason.NOT_MOBILE, field)
        digits = digits[:3] + rest
    elif not _E164.fullmatch(digits):
        raise IdentifierError(Reason.LENGTH, field)
    return PhoneNumber("+" + digits, digits, is_mainland=False)
