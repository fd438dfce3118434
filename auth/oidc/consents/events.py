"""What consents announce."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn(Event):
    """A person no longer lets a client see anything."""

    subject_id: UUID
    client_key: UUID
