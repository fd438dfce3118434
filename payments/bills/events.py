"""What bills announce (3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class BillIssued(Event):
    """A bill can be paid from now on."""

    bill_id: UUID
    matter_type: str
    matter_id: UUID
    payer_id: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class BillExpired(Event):
    """A bill was not paid in time (PY-6)."""

    bill_id: UUID
    matter_type: str
    matter_id: UUID
    payer_id: UUID
