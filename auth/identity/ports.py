"""What identity needs from the population source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class CheckResult(StrEnum):
    """What the source says about a name and a document number."""

    MATCH = "MATCH"
    MISMATCH = "MISMATCH"
    NOT_FOUND = "NOT_FOUND"
    REVIEW = "REVIEW"
    EXPIRED = "EXPIRED"
    DECEASED = "DECEASED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Check:
    """The source's answer. `valid_until`: the document's last day, where the source tells it."""

    result: CheckResult
    valid_until: date | None = None


class IdentityAuthority(Protocol):
    """Says whether a name and a document number belong together. Asking again is harmless."""

    def check(self, *, name: str, document_type: str, document_number: str, purpose: str, request_id: UUID) -> Check:
        """Ask about one person. Raises `PartnerUnavailable`."""
        ...
