"""What organisations announce."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class RoleBegun(Event):
    """Somebody may act for an organisation from now on; the representative is told who."""

    role_id: UUID
    organisation_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True)
class RoleEnded(Event):
    """Somebody may no longer act for an organisation."""

    role_id: UUID
    organisation_id: UUID
    person_id: UUID
