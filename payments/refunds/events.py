"""What refunds announce (3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class RefundRequested(Event):
    """Money is to go back."""

    refund_id: UUID
    bill_id: UUID
    matter_type: str
    matter_id: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class RefundDone(Event):
    """Money went back to where it came from. `surplus`: it had paid no bill."""

    refund_id: UUID
    bill_id: UUID
    matter_type: str
    matter_id: UUID
    payer_id: UUID
    amount_fen: int
    surplus: bool
