"""What exports announce."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class ExportReady(Event):
    """A person's copy can be downloaded until `expires_at`."""

    subject_id: UUID
    export_id: UUID
    expires_at: datetime
