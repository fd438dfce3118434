"""What the provider needs to know of the deployment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issuer:
    """The provider's name, the same text everywhere: PUBLIC_URL without a trailing slash."""

    url: str
