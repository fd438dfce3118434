"""Back-channel logout (OpenID Connect Back-Channel Logout 1.0, 2.5 and 2.8)."""

from __future__ import annotations

from core.ports import PartnerRefused
from partners import http

_DONE = frozenset({200, 204})


class HttpBackchannelLogout:
    """Posts logout tokens to the addresses that clients registered. An answer of 400 is final, as is any other 4xx but 429."""

    def send(self, address: str, logout_token: str) -> None:
        """Post the token. Raises `PartnerUnavailable`, `PartnerRefused`."""
        answer = http.request(
            "oidc_client",
            "POST",
            address,
            data={"logout_token": logout_token},
            headers={"Accept": "application/json"},
        )
        if answer.status_code not in _DONE:
            raise PartnerRefused(str(answer.status_code))
