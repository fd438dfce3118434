"""What paying needs from outside: a payment platform, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.money import Fen
from payments.orders.rules import Scene


class PlatformState(StrEnum):
    """How an order stands at the platform."""

    NOT_OPENED = "NOT_OPENED"  # the payer has not opened the cashier: the platform doesn't know the order yet
    WAITING = "WAITING"
    PAID = "PAID"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the platform says of an order, its signature verified. Amount in fen; time and number once it is paid."""

    state: PlatformState
    amount: Fen | None = None
    trade_no: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PayRequest:
    """An order as it goes to the platform. `title` says nothing of the matter; `until` is true time."""

    order_no: str
    title: str
    amount: Fen
    scene: Scene
    until: datetime
    return_path: str = ""
    buyer_open_id: str = ""


@dataclass(frozen=True, slots=True)
class Handover:
    """What the payer's phone needs to open the cashier: one of an order string, an address, or a trade number."""

    order_string: str | None = None
    redirect_url: str | None = None
    trade_no: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice with our platform's signature, for our application and account, and fresh (PY-8).

    `refund`: it tells of money going back, not of a payment.
    """

    notice_id: str
    order_no: str
    seen: Seen
    refund: bool


class NoticeRefused(Exception):
    """A notice that must have no effect. `reason` is a word of ours; `notice_id` only when its signature is genuine."""

    def __init__(self, reason: str, notice_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.notice_id = notice_id


class PaymentPlatform(Protocol):
    """A payment platform. Calls raise `core.ports.PartnerUnavailable` (outcome unknown) and `PartnerRefused` (a definite no)."""

    def hand_over(self, request: PayRequest) -> Handover:
        """Sign the order for the phone (APP, H5); needs no call to the platform."""
        ...

    def create(self, request: PayRequest) -> str:
        """Create the order at the platform (MINI); its trade number. Safe to repeat."""
        ...

    def query(self, order_no: str) -> Seen:
        """How the order stands."""
        ...

    def close(self, order_no: str) -> Seen:
        """Close an unpaid order; how it stands after that (CLOSED, NOT_OPENED, or PAID when the payer was quicker)."""
        ...

    def read_notice(self, body: bytes) -> Notice:
        """Verify a notice by its raw body. Raises `NoticeRefused`."""
        ...
