"""Which scope shows which fields, and under which claim. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

# The version of the consent text that a person is shown now [?]; another version asks again.
TEXT_VERSION = "2026-11"


class Field(StrEnum):
    """One field of a person that a client may be shown, by its claim in UserInfo."""

    NAME = "name"
    BIRTH_DATE = "birthdate"
    PHONE = "phone_number"
    DOCUMENT_TYPE = "document_type"
    DOCUMENT_NUMBER = "document_number"
    LEVEL = "identity_level"

    @property
    def zh(self) -> str:
        """What the consent page calls it."""
        return _NAMES[self][0]

    @property
    def en(self) -> str:
        """What the consent page calls it, in English."""
        return _NAMES[self][1]


_NAMES = {
    Field.NAME: ("姓名", "Name"),
    Field.BIRTH_DATE: ("出生日期", "Date of birth"),
    Field.PHONE: ("手机号码", "Mobile phone number"),
    Field.DOCUMENT_TYPE: ("证件类型", "Kind of identity document"),
    Field.DOCUMENT_NUMBER: ("证件号码", "Number of the identity document"),
    Field.LEVEL: ("实名等级", "Identity level"),
}

FIELDS_OF_SCOPE: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "openid": (),
        "profile": (Field.NAME,),
        "phone": (Field.PHONE,),
        "identity": (Field.DOCUMENT_TYPE, Field.DOCUMENT_NUMBER, Field.BIRTH_DATE),
        "level": (Field.LEVEL,),
        "offline_access": (),
    }
)


def fields_of(scopes: Iterable[str]) -> tuple[Field, ...]:
    """The fields that `scopes` show, in the order in which a person reads them."""
    wanted = {field for scope in scopes for field in FIELDS_OF_SCOPE[scope]}
    return tuple(field for field in Field if field in wanted)


def missing(wanted: Iterable[Field], given: Iterable[str], text_version: str | None) -> tuple[Field, ...]:
    """What of `wanted` a consent to `given`, shown with `text_version`, doesn't cover."""
    covered = set(given) if text_version == TEXT_VERSION else set()
    return tuple(field for field in wanted if field not in covered)
