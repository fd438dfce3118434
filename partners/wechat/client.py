"""wechatpy's client, replaced at exactly the points where release 1.8.18 is wrong for a server (PROTOCOLS 1.12).

* one stable token for all processes instead of the classic one, which workers take from each other;
* a refused token is asked for again once and the call sent again once, instead of without end;
* time-outs, kept connections and the address from the settings (`partners.http`);
* `jscode2session` without an access token, and the calls that wechatpy 1.8.18 doesn't know.

Refusals leave here as `core.ports.PartnerRefused(errcode)`; what may pass by itself as `PartnerUnavailable`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import requests
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import WeChatSettings
from partners import http
from partners.wechat.access_token import AccessToken

PARTNER = "wechat"

# The token was overwritten, is malformed or has expired.
TOKEN_ERRORS = frozenset({40001, 40014, 42001})
# Busy, or a quota is used up: the same call may succeed later.
BUSY_ERRORS = frozenset({-1, 45009, 45011, 45047, 50002})
# Our account is not set up as it should be: nothing a citizen did, so not his refusal.
ACCOUNT_ERRORS = frozenset({40013, 40125, 40164, 41001, 41002, 41004, 48001, 48004, 61007})

_TOO_LONG_FOR_A_TOKEN = 512
_RID = re.compile(r"rid: ([0-9a-f-]+)")

log = logging.getLogger("partners.wechat")


class _Transport:
    """What wechatpy takes for its `requests.Session`."""

    def request(
        self, method: str, url: str, *, params: Any = None, data: bytes | None = None, **_options: object
    ) -> requests.Response:
        """Send once. wechatpy's own time-out, which is never set, is among `_options`: `partners.http` has better ones."""
        headers = {"Content-Type": "application/json"} if data is not None else None
        return http.request(PARTNER, method, url, params=params, data=data, headers=headers)


class MiniProgramClient(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """The mini-program's account at WeChat. One per process; threads share it."""

    def __init__(self, settings: WeChatSettings) -> None:
        super().__init__(settings.app_id, settings.app_secret, auto_retry=False)
        self.API_BASE_URL = f"{settings.api_url}/cgi-bin/"
        self._api_url = settings.api_url
        self._http = _Transport()
        self._shared_token = AccessToken(settings.app_id, self._stable_token)

    @property
    def access_token(self) -> str:
        """The token that all processes share."""
        return self._shared_token.get()

    def fetch_access_token(self) -> dict[str, Any]:
        """The stable token, as WeChat answers it."""
        body = {
            "grant_type": "client_credential",
            "appid": self.appid,
            "secret": self.secret,
            "force_refresh": False,
        }
        return self._without_token("POST", "/cgi-bin/stable_token", body=body)

    def code_to_session(self, code: str) -> dict[str, Any]:
        """Exchange a code of `wx.login`. Never ask twice with one code: the second time is refused (PROTOCOLS 1.2)."""
        params = {
            "appid": self.appid,
            "secret": self.secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        return self._translated(lambda: self._without_token("GET", "/sns/jscode2session", params=params))

    def phone_number(self, code: str) -> dict[str, Any]:
        """Exchange a code of `getPhoneNumber`; the `phone_info` of the answer."""
        url = f"{self._api_url}/wxa/business/getuserphonenumber"
        found = self._translated(lambda: self.post(url, data={"code": code})).get("phone_info")
        if not isinstance(found, dict):
            raise PartnerUnavailable(PARTNER)
        return found

    def subscribe_send(self, body: dict[str, Any]) -> str:
        """Send one subscribe message; WeChat's id of it."""
        return str(self._translated(lambda: self.post("message/subscribe/send", data=body)).get("msgid", ""))

    def _request(self, method: str, url_or_endpoint: str, **kwargs: Any) -> Any:
        """Send with the shared token; if WeChat no longer takes that one, once more with another.

        Raises `NotReached` when no token is to be had: the call itself was then not made.
        """
        params = dict(kwargs.pop("params", None) or {})
        token = self._token_by(self._shared_token.get)
        try:
            return super()._request(method, url_or_endpoint, params={**params, "access_token": token}, **kwargs)
        except WeChatClientException as refusal:
            if refusal.errcode not in TOKEN_ERRORS:
                raise
        refused = token
        token = self._token_by(lambda: self._shared_token.renew(refused))
        return super()._request(method, url_or_endpoint, params={**params, "access_token": token}, **kwargs)

    @staticmethod
    def _token_by(way: Callable[[], str]) -> str:
        try:
            return way()
        except (PartnerUnavailable, PartnerRefused):
            raise http.NotReached(PARTNER) from None

    def _without_token(
        self, method: str, path: str, *, params: dict[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        from wechatpy.utils import json

        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        answer = self._http.request(method, self._api_url + path, params=params, data=data)
        found = self._handle_result(answer, method, path)
        if not isinstance(found, dict):
            raise PartnerUnavailable(PARTNER)
        return found

    def _stable_token(self) -> tuple[str, int]:
        found = self._translated(self.fetch_access_token)
        token, seconds = found.get("access_token"), found.get("expires_in")
        if not isinstance(token, str) or not 0 < len(token) <= _TOO_LONG_FOR_A_TOKEN or not isinstance(seconds, int):
            raise PartnerUnavailable(PARTNER)
        return token, seconds

    def _translated(self, call: Callable[[], Any]) -> dict[str, Any]:
        """The answer of `call`, an object; wechatpy's exceptions and unreadable answers as ours."""
        try:
            found = call()
        except WeChatClientException as refusal:
            raise _ours(refusal) from None
        except ValueError:
            raise PartnerUnavailable(PARTNER) from None
        if not isinstance(found, dict):
            raise PartnerUnavailable(PARTNER)
        return found


def _ours(refusal: WeChatClientException) -> Exception:
    errcode = refusal.errcode
    rid = _RID.search(str(refusal.errmsg))
    facts = {"errcode": errcode, "rid": rid[1] if rid else ""}
    if errcode is None or errcode in BUSY_ERRORS | TOKEN_ERRORS:
        log.warning("wechat is busy", extra=facts)
        return PartnerUnavailable(PARTNER)
    if errcode in ACCOUNT_ERRORS:
        log.error("wechat doesn't accept our account", extra=facts)
        return PartnerUnavailable(PARTNER)
    log.info("wechat refused", extra=facts)
    return PartnerRefused(str(errcode))
