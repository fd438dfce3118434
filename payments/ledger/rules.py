"""What the ledger knows: kinds of postings, accounts."""

from __future__ import annotations

from enum import StrEnum

SURPLUS = "SURPLUS"


class PostingKind(StrEnum):
    """Why money moved. The source is an order for PAYMENT, a refund for REFUND."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"


def platform(channel: str) -> str:
    """The account of a payment platform."""
    return f"PLATFORM:{channel}"


def payee(name: str) -> str:
    """The account of a payee of bills."""
    return f"PAYEE:{name}"
