"""What real name by Alipay needs from Alipay."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """Whether the Alipay account that agreed belongs to the person asked about."""

    SAME_PERSON = "SAME_PERSON"
    OTHER_PERSON = "OTHER_PERSON"


class AlipayRealName(Protocol):
    """Compares a name and a resident ID number with the Alipay account of whoever agrees on Alipay's page."""

    def prepare(self, *, name: str, document_number: str) -> str:
        """Alipay's id of the question. Raises `PartnerRefused` for values it can't compare, `PartnerUnavailable`."""
        ...

    def address(self, *, verify_id: str, state: str) -> str:
        """The page where the person agrees; the browser comes back with `state`."""
        ...

    def consult(self, *, code: str, verify_id: str) -> Verdict:
        """The answer. Raises `auth.accounts.alipay.errors.AlipayCodeInvalid`, `PartnerUnavailable`."""
        ...
