"""What orders announce (3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class BillPaid(Event):
    """A bill is paid. `order_id` is None for a bill over nothing."""

    bill_id: UUID
    order_id: UUID | None
    matter_type: str
    matter_id: UUID
    payer_id: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class SurplusReceived(Event):
    """Money came that pays no bill (a second payment, one too late); its refund is already queued."""

    order_id: UUID
    bill_id: UUID
    reason: str
    amount_fen: int
