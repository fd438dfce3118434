"""What an appointment announces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class AppointmentEvent(Event):
    """Common to all: which appointment, whose."""

    appointment_id: UUID
    owner_id: UUID


@dataclass(frozen=True, slots=True)
class AppointmentBooked(AppointmentEvent):
    """A place was taken."""

    item_id: str
    hall_id: UUID
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class AppointmentCancelled(AppointmentEvent):
    """Given up by the citizen, moved to another slot, or cancelled by the hall; `state` says which."""

    state: str


@dataclass(frozen=True, slots=True)
class CheckedIn(AppointmentEvent):
    """The first of the people it is for has arrived (AP-16)."""


@dataclass(frozen=True, slots=True)
class NoShow(AppointmentEvent):
    """Nobody came (AP-22)."""
