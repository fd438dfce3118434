"""What happens to members of staff."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class StaffLeft(Event):
    """A member's account was closed: what the member held is to be given back."""

    staff_id: UUID
