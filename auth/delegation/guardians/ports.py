"""What guardianship needs from household and birth data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class HouseholdResult(StrEnum):
    """What the household and birth data say about a child and a person."""

    GUARDIAN = "GUARDIAN"
    NOT_GUARDIAN = "NOT_GUARDIAN"
    NOT_FOUND = "NOT_FOUND"
    DISPUTED = "DISPUTED"
    INSTITUTION = "INSTITUTION"


@dataclass(frozen=True, slots=True)
class Known:
    """A person as their document names them."""

    name: str = field(repr=False)
    document_type: str
    document_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HouseholdAnswer:
    """The answer. Birth date and relation (PARENT, GRANDPARENT …) come with GUARDIAN and DISPUTED."""

    result: HouseholdResult
    born_on: date | None = field(default=None, repr=False)
    relation: str = ""


class HouseholdRegistry(Protocol):
    """Household and birth data. Asking again is harmless."""

    def guardian(self, *, child: Known, asking: Known, request_id: UUID) -> HouseholdAnswer:
        """Is `asking` a guardian of `child`? Raises `PartnerUnavailable`."""
        ...
