"""What a case announces."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class CaseEvent(Event):
    """Common to all: which case, whose."""

    case_id: UUID
    owner_id: UUID


@dataclass(frozen=True, slots=True)
class CaseAccepted(CaseEvent):
    """The legal clock has started (K-2)."""

    prereview_id: UUID | None


@dataclass(frozen=True, slots=True)
class CaseNotAccepted(CaseEvent):
    """Not accepted, with reason and remedy (C-3)."""


@dataclass(frozen=True, slots=True)
class CaseDecided(CaseEvent):
    """Granted or refused; the clock has ended."""

    granted: bool


@dataclass(frozen=True, slots=True)
class CaseReady(CaseEvent):
    """The result can be collected or sent."""


@dataclass(frozen=True, slots=True)
class CaseTransferred(CaseEvent):
    """The result will be issued in another hall than before (S12)."""

    hall_id: UUID


@dataclass(frozen=True, slots=True)
class CaseWithdrawn(CaseEvent):
    """The citizen withdrew, or the correction never came."""


@dataclass(frozen=True, slots=True)
class CaseDelivered(CaseEvent):
    """The result has reached the right-holder."""
