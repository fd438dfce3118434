"""Identity documents by kind (N28, N29, ID-10, PROTOCOLS 6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from core.identifiers.errors import IdentifierError, Reason
from core.identifiers.folding import compact

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_LENGTH = 18
_OLD_LENGTH = 15
_FIRST_BIRTH_YEAR = 1850

# GB/T 2260 provinces; 71 is Taiwan Province. Counties are not checked: old and merged ones stay in numbers for life.
_PROVINCE_BLOCKS = (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66), (71,))
_PROVINCES = frozenset(str(code) for block in _PROVINCE_BLOCKS for code in block)
# 港澳台居民居住证: Hong Kong, Macao, Taiwan, always followed by 0000.
_RESIDENCE_REGIONS = frozenset(("810000", "820000", "830000"))


class DocumentType(StrEnum):
    """Kinds of document by the codes of GA/T 2000.156.

    The codes were checked against public copies of the table, not against the standard itself: they are data to be
    verified with the city. `HMT_RESIDENCE` is younger than the table seen, so its code is one of ours.
    """

    RESIDENT_ID = "111"
    HOUSEHOLD_REGISTER = "113"
    MILITARY_OFFICER = "114"
    BIRTH_CERTIFICATE = "117"
    PASSPORT = "414"
    TAIWAN_PERMIT = "511"
    HK_MACAO_PERMIT = "516"
    FOREIGN_PERMANENT_RESIDENT = "553"
    HMT_RESIDENCE = "X01"

    @property
    def label(self) -> str:
        """The document's name in Chinese."""
        return _LABELS[self]


_LABELS = {
    DocumentType.RESIDENT_ID: "居民身份证",
    DocumentType.HOUSEHOLD_REGISTER: "户口簿",
    DocumentType.MILITARY_OFFICER: "军官证",
    DocumentType.BIRTH_CERTIFICATE: "出生医学证明",
    DocumentType.PASSPORT: "普通护照",
    DocumentType.TAIWAN_PERMIT: "台湾居民来往大陆通行证",
    DocumentType.HK_MACAO_PERMIT: "港澳居民来往内地通行证",
    DocumentType.FOREIGN_PERMANENT_RESIDENT: "外国人永久居留身份证",
    DocumentType.HMT_RESIDENCE: "港澳台居民居住证",
}


class Sex(StrEnum):
    """Sex by GB/T 2261.1."""

    MALE = "1"
    FEMALE = "2"


@dataclass(frozen=True, slots=True)
class DocumentNumber:
    """A document in its one canonical form. Shows nothing personal when printed."""

    type: DocumentType
    number: str = field(repr=False)
    birth_date: date | None = field(default=None, repr=False)
    sex: Sex | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """What to hash for a subject: kind and number (ID-3)."""
        return f"{self.type.value}:{self.number}"


def normalise_document(
    kind: DocumentType, raw: str, *, field: str = "document_number", today: date | None = None
) -> DocumentNumber:
    """The document that somebody typed as `raw`, with birth date and sex where the number tells them.

    An 18-digit number decides its kind itself: beginning with 9 it is a foreigner's permanent residence card, with 81,
    82 or 83 a residence permit of Hong Kong, Macao or Taiwan, else a resident ID card. So one person who picks the
    wrong kind is still one subject (ID-3). With `today`, a birth date after it is refused.

    Raises `IdentifierError` for `field`: EMPTY, CHARACTERS, LENGTH, LEGACY_NUMBER, REGION, BIRTH_DATE, CHECKSUM.
    """
    text = compact(raw)
    if not text:
        raise IdentifierError(Reason.EMPTY, field)
    return _READERS[kind](kind, text, field, today)


def check_character(seventeen: str) -> str:
    """The last character of an 18-character number (GB 11643, ISO 7064 MOD 11-2) from its first 17 digits."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(seventeen, _WEIGHTS, strict=True)) % 11]


def age_on(birth_date: date, day: date) -> int:
    """Full years on `day`: one more from 00:00 of the birthday on, in Shanghai (DG-5); negative before birth.

    Who is born on 29 February is a year older on 1 March of a common year: nobody is of age a day too early [D].
    """
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def _eighteen(_: DocumentType, text: str, field: str, today: date | None) -> DocumentNumber:
    """A number built like GB 11643, of whichever of the three kinds it is."""
    # Checked first, so that a person with an old card is told what is wrong with it.
    if len(text) == _OLD_LENGTH and text.isdigit():
        raise IdentifierError(Reason.LEGACY_NUMBER, field)
    if not re.fullmatch(r"[0-9]*[0-9X]", text):
        raise IdentifierError(Reason.CHARACTERS, field)
    if len(text) != _LENGTH:
        raise IdentifierError(Reason.LENGTH, field)
    foreign = text[0] == "9"
    residence = text[:6] in _RESIDENCE_REGIONS
    if text[1:3] not in _PROVINCES if foreign else not residence and text[:2] not in _PROVINCES:
        raise IdentifierError(Reason.REGION, field)
    try:
        birth_date = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        raise IdentifierError(Reason.BIRTH_DATE, field) from None
    if birth_date.year < _FIRST_BIRTH_YEAR or (today is not None and birth_date > today):
        raise IdentifierError(Reason.BIRTH_DATE, field)
    if check_character(text[:17]) != text[17]:
        raise IdentifierError(Reason.CHECKSUM, field)
    if foreign:
        return DocumentNumber(DocumentType.FOREIGN_PERMANENT_RESIDENT, text, birth_date)
    kind = DocumentType.HMT_RESIDENCE if residence else DocumentType.RESIDENT_ID
    return DocumentNumber(kind, text, birth_date, Sex.MALE if int(text[16]) % 2 else Sex.FEMALE)


def _foreign_card(kind: DocumentType, text: str, field: str, today: date | None) -> DocumentNumber:
    """The 2023 card has 18 digits; the older one three letters and twelve digits, valid until it expires."""
    if re.fullmatch(r"[A-Z]{3}[0-9]{12}", text):
        return DocumentNumber(kind, text)
    if text[:1].isalpha():
        raise IdentifierError(Reason.CHARACTERS if len(text) == _OLD_LENGTH else Reason.LENGTH, field)
    return _eighteen(kind, text, field, today)


def _matching(pattern: str, lengths: range) -> Callable[[DocumentType, str, str, date | None], DocumentNumber]:
    """A reader for numbers that only have a shape."""
    shape = re.compile(pattern)

    def read(kind: DocumentType, text: str, field: str, _: date | None) -> DocumentNumber:
        if shape.fullmatch(text):
            return DocumentNumber(kind, text)
        raise IdentifierError(Reason.CHARACTERS if len(text) in lengths else Reason.LENGTH, field)

    return read


def _officer(kind: DocumentType, text: str, field: str, _: date | None) -> DocumentNumber:
    """军官证: "军字第1234567号" however it is written, or the bare number."""
    parts = re.fullmatch(r"([\u4e00-\u9fff]{1,4})字第?([0-9A-Z]{4,8})号?", text)
    if parts:
        return DocumentNumber(kind, f"{parts[1]}字第{parts[2]}号")
    if re.fullmatch(r"(?=.*[0-9])[0-9A-Z]{6,8}", text):
        return DocumentNumber(kind, text)
    raise IdentifierError(Reason.CHARACTERS, field)


def _taiwan(kind: DocumentType, text: str, field: str, today: date | None) -> DocumentNumber:
    """台胞证: eight digits; the old booklet ten digits and a letter or digit in brackets."""
    return _taiwan_shape(kind, text.replace("(", "").replace(")", ""), field, today)


_taiwan_shape = _matching(r"[0-9]{8}|[0-9]{10}[0-9A-Z]?", range(8, 12))

_READERS: dict[DocumentType, Callable[[DocumentType, str, str, date | None], DocumentNumber]] = {
    DocumentType.RESIDENT_ID: _eighteen,
    DocumentType.HMT_RESIDENCE: _eighteen,
    DocumentType.FOREIGN_PERMANENT_RESIDENT: _foreign_card,
    DocumentType.HOUSEHOLD_REGISTER: _matching(r"[0-9A-Z]{6,18}", range(6, 19)),
    DocumentType.BIRTH_CERTIFICATE: _matching(r"[A-Z][0-9]{9}", range(10, 11)),
    DocumentType.PASSPORT: _matching(r"(?=.*[0-9])[0-9A-Z]{5,15}", range(5, 16)),
    DocumentType.HK_MACAO_PERMIT: _matching(r"[HM][0-9]{8}(?:[0-9]{2})?", range(9, 12)),
    DocumentType.TAIWAN_PERMIT: _taiwan,
    DocumentType.MILITARY_OFFICER: _officer,
}
