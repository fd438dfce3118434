"""What giving money back needs from outside."""

from __future__ import annotations

from typing import Protocol

from core.money import Fen


class RefundPlatform(Protocol):
    """A payment platform that gives money back the way it came."""

    def refund(self, *, order_no: str, refund_no: str, amount: Fen, reason: str) -> None:
        """Give `amount` of the order back; returns when it is done for certain. The same `refund_no` never pays twice.

        Raises `PartnerUnavailable` (unknown or not finished: repeat with the same number) and `PartnerRefused` (a definite no).
        """
        ...
