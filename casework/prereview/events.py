"""What a pre-review announces (3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class PreReviewEvent(Event):
    """Common to all: which pre-review, whose, of what, where."""

    prereview_id: UUID
    owner_id: UUID
    item_id: str
    hall_id: UUID


@dataclass(frozen=True, slots=True)
class PreReviewSubmitted(PreReviewEvent):
    """It waits in the queue of its hall."""


@dataclass(frozen=True, slots=True)
class PreReviewClaimed(PreReviewEvent):
    """A clerk works on it."""


@dataclass(frozen=True, slots=True)
class PreReviewReleased(PreReviewEvent):
    """It went back to the queue: given back, transferred, or the claim ran out."""


@dataclass(frozen=True, slots=True)
class PreReviewNeedsChange(PreReviewEvent):
    """The one-time notice went out (PR-5)."""


@dataclass(frozen=True, slots=True)
class PreReviewPassed(PreReviewEvent):
    """The citizen can choose the next step (PR-10)."""


@dataclass(frozen=True, slots=True)
class PreReviewRejected(PreReviewEvent):
    """Not our business (PR-7)."""


@dataclass(frozen=True, slots=True)
class PreReviewExpired(PreReviewEvent):
    """Its time ran out, or its item left force (PR-9). What was prepaid on it must go back."""


@dataclass(frozen=True, slots=True)
class PreReviewWithdrawn(PreReviewEvent):
    """The citizen withdrew it."""


@dataclass(frozen=True, slots=True)
class PreReviewUsed(PreReviewEvent):
    """It became a case, or was used at the counter (PR-10, PR-11)."""
