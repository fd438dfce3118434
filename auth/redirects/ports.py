"""What trips need to know of the installation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReturnAddresses:
    """Where browsers may come back to: our own address, and the others that the operator allows, such as App links."""

    own: str
    allowed: frozenset[str]
