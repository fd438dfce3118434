"""Signing in with WeChat (PROTOCOLS 1.2, 1.4): the port auth.accounts.ports.WeChatAccounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auth.accounts.errors import LoginCodeInvalid
from auth.accounts.ports import WeChatIdentity, WeChatPhone
from core import clock
from core.identifiers import IdentifierError, normalise_phone
from core.ports import PartnerRefused, PartnerUnavailable
from partners.wechat.client import PARTNER, MiniProgramClient
from partners.wechat.sealed import SealedDataInvalid, open_sealed

# Their code → a refusal of the person's code: unknown or over five minutes old, used before, account blocked for risk.
_CODE_ERRORS = frozenset({"40029", "40163", "40226"})


class WeChatMiniProgramAccounts:
    """Exchanges the codes a phone gets from `wx.login` and `getPhoneNumber`. Neither may be asked for twice."""

    def __init__(self, client: MiniProgramClient) -> None:
        self._client = client

    def exchange_login_code(self, code: str) -> WeChatIdentity:
        """Who signed in. The session key in WeChat's answer is dropped here. Raises `LoginCodeInvalid`, `PartnerUnavailable`."""
        return self._session(code)[0]

    def exchange_sealed_phone(self, code: str, encrypted_data: str, iv: str) -> tuple[WeChatIdentity, WeChatPhone]:
        """Who signed in, and the phone sealed with this sign-in's session key, which goes no further than here.

        Raises `LoginCodeInvalid`, also for what doesn't open: another sign-in's key, another application, too old.
        """
        identity, session_key = self._session(code)
        try:
            found = open_sealed(session_key, encrypted_data, iv, app_id=self._client.appid, now=clock.wall())
        except SealedDataInvalid:
            raise LoginCodeInvalid() from None
        return identity, _phone(found)

    def _session(self, code: str) -> tuple[WeChatIdentity, str]:
        """Who signed in, and the session key."""
        try:
            found = self._client.code_to_session(code)
        except PartnerRefused as refusal:
            raise _ours(refusal) from None
        openid, unionid = found.get("openid"), found.get("unionid")
        if not isinstance(openid, str) or not openid:
            raise PartnerUnavailable(PARTNER)
        identity = WeChatIdentity(openid=openid, unionid=unionid if isinstance(unionid, str) and unionid else None)
        return identity, str(found.get("session_key", ""))

    def exchange_phone_code(self, code: str) -> WeChatPhone:
        """The phone number of the account. Raises `LoginCodeInvalid`, `PartnerUnavailable`."""
        try:
            found = self._client.phone_number(code)
        except PartnerRefused as refusal:
            raise _ours(refusal) from None
        watermark = found.get("watermark")
        if not isinstance(watermark, dict) or watermark.get("appid") != self._client.appid:
            raise PartnerUnavailable(PARTNER)
        return _phone(found)


def _phone(found: Mapping[str, Any]) -> WeChatPhone:
    """The number in WeChat's words, the same in both forms. Raises `PartnerUnavailable`."""
    try:
        # The country code is declared as text, and the documented sample shows a number.
        number = normalise_phone(f"+{int(found['countryCode'])}{found['purePhoneNumber']}")
    except (KeyError, TypeError, ValueError, IdentifierError):
        raise PartnerUnavailable(PARTNER) from None
    return WeChatPhone(number_e164=number.e164)


def _ours(refusal: PartnerRefused) -> Exception:
    return LoginCodeInvalid() if refusal.code in _CODE_ERRORS else PartnerUnavailable(PARTNER)
