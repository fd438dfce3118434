"""Signing in with Alipay (PROTOCOLS 3.2): the port auth.accounts.alipay.ports.AlipayAccounts.

Only `auth_base` is asked for: it says which account it is and nothing else, and needs no consent to personal data. Names
and numbers come by the real-name check alone (`real_name.py`).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from auth.accounts.alipay.errors import AlipayCodeInvalid
from auth.accounts.alipay.ports import AlipayIdentity
from auth.redirects.rules import with_parameters
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import AlipaySettings

if TYPE_CHECKING:
    from partners.alipay.client import AlipayClient

# Registered at Alipay as the one address that browsers come back to.
RETURN_PATH = "/api/v1/login/alipay/return"
SIGN_IN_SCOPE = "auth_base"

_CODE_ERRORS = ("isv.code-", "40002")


class AlipayOAuth:
    """Alipay's authorisation page, and what the code it gives is worth."""

    def __init__(self, settings: AlipaySettings, public_url: str) -> None:
        self._settings = settings
        self._page = settings.oauth_url
        self._app_id = settings.app_id
        self._return_to = public_url + RETURN_PATH

    @cached_property
    def client(self) -> AlipayClient:
        """The gateway, with the SDK imported when the first call needs it."""
        from partners.alipay.client import AlipayClient

        return AlipayClient(self._settings)

    def sign_in_address(self, state: str) -> str:
        """The page where a person lets us know the account; the browser comes back with `state`."""
        return self.address(SIGN_IN_SCOPE, state)

    def address(self, scope: str, state: str, **more: str) -> str:
        """Alipay's page for `scope`."""
        asked = {"app_id": self._app_id, "scope": scope, "redirect_uri": self._return_to, "state": state, **more}
        return with_parameters(self._page, asked)

    def exchange_code(self, code: str) -> AlipayIdentity:
        """Who agreed. Raises `AlipayCodeInvalid`, `PartnerUnavailable`."""
        found = self.token(code)
        identity = AlipayIdentity(open_id=_text(found, "open_id"), user_id=_text(found, "user_id"))
        if identity.open_id is None and identity.user_id is None:
            raise PartnerUnavailable("alipay: an account without an id")
        return identity

    def token(self, code: str) -> dict[str, Any]:
        """What Alipay gives for a code, asked once. Raises `AlipayCodeInvalid`, `PartnerUnavailable`."""
        from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest

        from partners.alipay.client import ErrorResponse

        request = AlipaySystemOauthTokenRequest()
        request.grant_type, request.code = "authorization_code", code
        try:
            found = self.client.call(request, proof="access_token")
        except PartnerRefused as refusal:
            if refusal.code.startswith(_CODE_ERRORS):
                raise AlipayCodeInvalid() from None
            raise PartnerUnavailable(f"alipay: {refusal.code}") from None
        except ErrorResponse as unsigned:
            # Alipay doesn't sign this one. Believing it gives nobody anything: the person is asked to agree once more.
            if unsigned.sub_code.startswith(_CODE_ERRORS):
                raise AlipayCodeInvalid() from None
            raise
        return found


def _text(found: dict[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) and value else None
