"""What closings announce."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class ClosingAsked(Event):
    """The account will be closed at `effective_at`, unless the person calls it off."""

    subject_id: UUID
    closing_id: UUID
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class ClosingEnded(Event):
    """The account goes on: the person called it off, or (`blocked`) something was opened meanwhile."""

    subject_id: UUID
    closing_id: UUID
    blocked: bool
