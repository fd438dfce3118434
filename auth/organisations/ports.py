"""What organisations need from the market registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from auth.organisations.rules import OrganisationKind


class RegistryResult(StrEnum):
    """What the registry says about a person and an organisation."""

    MATCH = "MATCH"
    NOT_REPRESENTATIVE = "NOT_REPRESENTATIVE"
    NOT_FOUND = "NOT_FOUND"
    DEREGISTERED = "DEREGISTERED"


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """The registry's answer. Name and kind of the organisation come with MATCH."""

    result: RegistryResult
    name: str = ""
    kind: OrganisationKind = OrganisationKind.OTHER


@dataclass(frozen=True, slots=True)
class RegistryQuestion:
    """Is this person the legal representative of that organisation?"""

    credit_code: str
    name: str = field(repr=False)
    document_type: str = ""
    document_number: str = field(default="", repr=False)


class MarketRegistry(Protocol):
    """The register of organisations. Asking again is harmless."""

    def representative(self, question: RegistryQuestion, *, request_id: UUID) -> RegistryAnswer:
        """Ask who represents an organisation, by naming the person. Raises `PartnerUnavailable`."""
        ...
