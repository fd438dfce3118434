"""What delivery needs of a carrier, in our words. The partner gets no matter name and no ID number (CR-17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from casework.delivery.rules import Event


@dataclass(frozen=True, slots=True)
class Party:
    """A sender or receiver, as on the label."""

    name: str
    phone: str
    address: str


@dataclass(frozen=True, slots=True)
class CourierOrder:
    """A pick-up to order. `our_number` is the idempotency key: the same one names the same order."""

    our_number: str
    sender: Party
    receiver: Party
    callback_url: str
    salt: str


@dataclass(frozen=True, slots=True)
class Placed:
    """The carrier's identifiers."""

    carrier: str
    order_id: str
    task_id: str
    waybill: str


@dataclass(frozen=True, slots=True)
class IdentityReport:
    """What the courier reports of the check at the door (CR-7)."""

    ok: bool
    code: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class TrackReport:
    """A verified report: the whole set of events as the carrier knows it now."""

    waybill: str
    events: Sequence[Event]
    gave_up: bool = False
    identity: IdentityReport | None = None


@dataclass(frozen=True, slots=True)
class OrderReport:
    """A verified report on an order. `failed`: it was cancelled, or the courier couldn't pick the parcel up."""

    order_id: str
    failed: bool


@dataclass(frozen=True, slots=True)
class CallbackAddress:
    """Where the carrier reports to: the public address and the secret part of the path (CR-15)."""

    public_url: str
    path_secret: str

    def of(self, shipment_id: UUID) -> str:
        """The address for one shipment."""
        return f"{self.public_url}/callbacks/kuaidi100/{self.path_secret}/{shipment_id}"


class Courier(Protocol):
    """The carrier. Every method raises `PartnerUnavailable` (outcome unknown) or `PartnerRefused`."""

    def place_order(self, order: CourierOrder) -> Placed:
        """Order a pick-up. Asking again with the same number gives the same order."""
        ...

    def subscribe(self, *, carrier: str, waybill: str, phone: str, callback_url: str, salt: str) -> None:
        """Ask for reports. An existing subscription is success."""
        ...

    def cancel(self, *, order_id: str, task_id: str) -> None:
        """Cancel an order that wasn't picked up."""
        ...

    def track(self, *, carrier: str, waybill: str, phone: str) -> TrackReport | None:
        """The track as the carrier knows it; None when it knows nothing."""
        ...

    def read_callback(self, body: bytes, salt: str) -> TrackReport | OrderReport | None:
        """The report in a callback's raw body; None for a signed one of no use. Raises `core.errors.SignatureInvalid`."""
        ...
