"""What identity announces."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class IdentityRaised(Event):
    """A person reached a higher level. `evidence_id` names this one happening."""

    subject_id: UUID
    level: int
    evidence_id: UUID


@dataclass(frozen=True, slots=True)
class IdentityReviewed(Event):
    """What a source's people had to look at is decided, or won't be (ID-5)."""

    subject_id: UUID
    review_id: UUID
    passed: bool
