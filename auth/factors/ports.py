"""What factors need from outside."""

from __future__ import annotations

from typing import Protocol


class CodeSender(Protocol):
    """Brings a one-time code to a phone. Sending the same code twice is harmless."""

    def send_code(self, phone: str, code: str, minutes: int, purpose: str) -> None:
        """Send `code`, good for `minutes`, to `phone` (E.164). Raises `PartnerUnavailable`, `PartnerRefused`."""
        ...
