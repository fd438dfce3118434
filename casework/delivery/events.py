"""What delivery announces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, slots=True)
class ShipmentHandedOver(Event):
    """The parcel is with the carrier: the issue clock stops (CR-12)."""

    shipment_id: UUID
    case_id: UUID


@dataclass(frozen=True, slots=True)
class ShipmentDelivered(Event):
    """The recipient signed and was checked; `at` is the time of legal service (CR-11)."""

    shipment_id: UUID
    case_id: UUID
    at: datetime
