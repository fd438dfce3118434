"""What accounts need from WeChat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WeChatIdentity:
    """Who a login code stands for. There is no session key here: it never leaves the adapter (PROTOCOLS 1.2)."""

    openid: str = field(repr=False)
    unionid: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WeChatPhone:
    """The phone number of a WeChat account, in E.164."""

    number_e164: str = field(repr=False)


class WeChatAccounts(Protocol):
    """Exchanges the one-time codes of the mini-program. A code is asked for once, whatever comes back."""

    def exchange_login_code(self, code: str) -> WeChatIdentity:
        """Who signed in. Raises `auth.accounts.errors.LoginCodeInvalid`, `PartnerUnavailable`."""
        ...

    def exchange_phone_code(self, code: str) -> WeChatPhone:
        """The phone number. Raises `auth.accounts.errors.LoginCodeInvalid`, `PartnerUnavailable`."""
        ...

    def exchange_sealed_phone(self, code: str, encrypted_data: str, iv: str) -> tuple[WeChatIdentity, WeChatPhone]:
        """Who signed in with a login code, and the phone number sealed with the session key of that very sign-in.

        Raises `auth.accounts.errors.LoginCodeInvalid`, `PartnerUnavailable`.
        """
        ...
