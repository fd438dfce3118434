"""What signing out needs from outside: a client's own back-channel address."""

from __future__ import annotations

from typing import Protocol


class BackchannelLogout(Protocol):
    """Tells a client's server that a person signed out."""

    def send(self, address: str, logout_token: str) -> None:
        """Post the token. Raises `PartnerUnavailable` (ask again), `PartnerRefused` (the client said no, for good)."""
        ...
