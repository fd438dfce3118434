"""What the queue announces."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class TicketCalled(Event):
    """A window called a number, for the first time or again."""

    ticket_id: UUID
    appointment_id: UUID | None
    window: str


@dataclass(frozen=True, slots=True)
class TicketFinished(Event):
    """A visit ended. `wasted_trip`: booked, reviewed before, and still not accepted (AP-21, S23)."""

    ticket_id: UUID
    appointment_id: UUID | None
    result: str
    wasted_trip: bool
