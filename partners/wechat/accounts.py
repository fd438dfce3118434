"""Signing in with WeChat (PROTOCOLS 1.2, 1.4): the port auth.accounts.ports.WeChatAccounts."""

from __future__ import annotations

from auth.accounts.errors import LoginCodeInvalid
from auth.accounts.ports import WeChatIdentity, WeChatPhone
from core.identifiers import IdentifierError, normalise_phone
from core.ports import PartnerRefused, PartnerUnavailable
from partners.wechat.client import PARTNER, MiniProgramClient

# Their code → a refusal of the person's code: unknown or over five minutes old, used before, account blocked for risk.
_CODE_ERRORS = frozenset({"40029", "40163", "40226"})


class WeChatMiniProgramAccounts:
    """Exchanges the codes a phone gets from `wx.login` and `getPhoneNumber`. Neither may be asked for twice."""

    def __init__(self, client: MiniProgramClient) -> None:
        self._client = client

    def exchange_login_code(self, code: str) -> WeChatIdentity:
        """Who signed in. The session key in WeChat's answer is dropped here. Raises `LoginCodeInvalid`, `PartnerUnavailable`."""
        try:
            found = self._client.code_to_session(code)
        except PartnerRefused as refusal:
            raise _ours(refusal) from None
        openid, unionid = found.get("openid"), found.get("unionid")
        if not isinstance(openid, str) or not openid:
            raise PartnerUnavailable(PARTNER)
        return WeChatIdentity(openid=openid, unionid=unionid if isinstance(unionid, str) and unionid else None)

    def exchange_phone_code(self, code: str) -> WeChatPhone:
        """The phone number of the account. Raises `LoginCodeInvalid`, `PartnerUnavailable`."""
        try:
            found = self._client.phone_number(code)
        except PartnerRefused as refusal:
            raise _ours(refusal) from None
        watermark = found.get("watermark")
        if not isinstance(watermark, dict) or watermark.get("appid") != self._client.appid:
            raise PartnerUnavailable(PARTNER)
        try:
            # The country code is declared as text, and the documented sample shows a number.
            number = normalise_phone(f"+{int(found['countryCode'])}{found['purePhoneNumber']}")
        except (KeyError, TypeError, ValueError, IdentifierError):
            raise PartnerUnavailable(PARTNER) from None
        return WeChatPhone(number_e164=number.e164)


def _ours(refusal: PartnerRefused) -> Exception:
    return LoginCodeInvalid() if refusal.code in _CODE_ERRORS else PartnerUnavailable(PARTNER)
