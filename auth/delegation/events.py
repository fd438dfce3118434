"""What delegation announces."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from core.events import Event


class Happening(StrEnum):
    """What became of a delegation, as its two sides are told."""

    OFFERED = "OFFERED"
    TAKEN = "TAKEN"
    BEGUN = "BEGUN"
    ENDED = "ENDED"
    DISPUTED = "DISPUTED"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True)
class DelegationChanged(Event):
    """Something happened to a delegation; both sides hear of it, the principal first (DG-2).

    `change_id` names this one happening. `agent_id` is None while an offer has no taker, and for an officer.
    """

    delegation_id: UUID
    change_id: UUID
    happening: Happening
    principal_id: UUID
    agent_id: UUID | None


@dataclass(frozen=True, slots=True)
class ConfirmationAsked(Event):
    """Somebody wants to act for `principal_id`, who agrees by telling `code`. Never logged or stored as it is."""

    delegation_id: UUID
    change_id: UUID
    principal_id: UUID
    agent_id: UUID
    code: str
