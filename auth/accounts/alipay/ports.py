"""What accounts need from Alipay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AlipayIdentity:
    """Whose Alipay account a code stands for; at least one of the two ids. `open_id` is our application's own."""

    open_id: str | None = field(default=None, repr=False)
    user_id: str | None = field(default=None, repr=False)


class AlipayAccounts(Protocol):
    """Sends a browser to Alipay, and exchanges the code that it comes back with. A code is asked for once."""

    def sign_in_address(self, state: str) -> str:
        """The page where a person lets us know the account; the browser comes back with `state`."""
        ...

    def exchange_code(self, code: str) -> AlipayIdentity:
        """Who agreed. Raises `auth.accounts.alipay.errors.AlipayCodeInvalid`, `PartnerUnavailable`."""
        ...
