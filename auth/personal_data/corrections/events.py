"""What corrections announce."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class CorrectionAnswered(Event):
    """A registrar has answered a request of this person."""

    subject_id: UUID
    request_id: UUID
