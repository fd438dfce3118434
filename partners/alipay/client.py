"""The official SDK's client, corrected where it is wrong and nowhere else.

Kept: requests, models, the common parameters, the forms of `execute`, `page_execute` and `sdk_execute`. Corrected:

- signing: RSA2 by `cryptography` (the SDK's pure-Python RSA takes 28 ms and PKCS#1 keys only), no empty values
- `timestamp`: Beijing time from the true time, whatever the machine's zone
- transport: the port in the address is used, connections are kept, time-outs are ours, any HTTP status is handled
- answers: verified over the raw text with RSA2 only (the SDK takes SHA-1 too), `alipay_cert_sn` may stand between,
  an unsigned `error_response` is told apart
- nothing is logged but the method and the outcome's code (the SDK logs whole requests)
"""

from __future__ import annotations

import json
import logging
from typing import Any

from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient

from core import clock
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import AlipaySettings
from partners.alipay import signatures
from partners.alipay.notices import beijing
from partners.http import request as http_request

log = logging.getLogger("partners.alipay")

_OK = "10000"
_BUSINESS_FAILED = "40004"
_UNKNOWN_CODES = frozenset({"20000", "10003"})
# Alipay's own faults: the call may or may not have had its effect.
_UNKNOWN_SUB_CODES = ("isp.", "aop.", "ACQ.SYSTEM_ERROR")
_WITHOUT_SIGN = frozenset({"sign"})
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


class ErrorResponse(PartnerUnavailable):
    """An `error_response` that nobody signed: it proves nothing about money or persons. `sub_code` is what it says."""

    def __init__(self, sub_code: str) -> None:
        super().__init__("alipay: error_response")
        self.sub_code = sub_code


class AlipayClient(DefaultAlipayClient):  # type: ignore[misc]  # the SDK has no types
    """`call` executes a request of the SDK and returns its answer's fields."""

    def __init__(self, settings: AlipaySettings) -> None:
        config = AlipayClientConfig()
        config.server_url = settings.gateway_url
        config.app_id = settings.app_id
        config.sign_type = signatures.SIGN_TYPE
        super().__init__(config)
        self._gateway_url = settings.gateway_url
        self._private_key = signatures.private_key(settings.app_private_key)
        self._public_key = signatures.public_key(settings.alipay_public_key)

    def call(self, request: Any, *, proof: str = "") -> dict[str, Any]:
        """The fields of a successful answer. `proof`: the field that only a success has, where there is no code then.

        Raises `PartnerRefused` with Alipay's sub_code, `PartnerUnavailable` when the outcome is unknown.
        """
        fields: dict[str, Any] = json.loads(self.execute(request))
        code, sub_code = str(fields.get("code")), str(fields.get("sub_code") or "")
        if code == _OK or fields.get(proof):
            return fields
        log.warning("alipay %s: %s %s", request.get_params()["method"], code, sub_code)
        if code in _UNKNOWN_CODES or sub_code.startswith(_UNKNOWN_SUB_CODES):
            raise PartnerUnavailable(f"alipay: {code} {sub_code}")
        raise PartnerRefused(sub_code or code)

    def execute(self, request: Any) -> str:
        """The verified text of the answer's inner object. Raises `PartnerUnavailable`."""
        common, params = self._DefaultAlipayClient__prepare_request_params(request)
        # Personal data and amounts travel in the body, the common parameters in the address, as the gateway wants it.
        answer = http_request("alipay", "POST", self._gateway_url, params=common, data=params)
        return self._DefaultAlipayClient__parse_response(answer.content)

    # The SDK calls its own methods by these mangled names, so this is how they are replaced.
    def _DefaultAlipayClient__prepare_request_params(  # noqa: N802
        self, request: Any
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Common parameters with the signature, and the business parameters."""
        params: dict[str, str] = {**request.get_params(), "timestamp": beijing(clock.wall())}
        common: dict[str, str] = self._DefaultAlipayClient__get_common_params(params)
        signed = signatures.content({**params, **common}, without=_WITHOUT_SIGN)
        common["sign"] = signatures.sign(self._private_key, signed.encode())
        self._DefaultAlipayClient__remove_common_params(params)
        return common, params

    def _DefaultAlipayClient__parse_response(self, response: bytes) -> str:  # noqa: N802
        """The inner object's raw text, its signature verified over exactly that text."""
        try:
            members = top_level(response.decode())
        except ValueError:
            raise PartnerUnavailable("alipay: unreadable answer") from None
        signature = members.pop("sign", "").strip('"')
        members.pop("alipay_cert_sn", None)
        if len(members) != 1:
            raise PartnerUnavailable("alipay: unreadable answer")
        ((name, inner),) = members.items()
        if not signature and name == "error_response":
            # Nobody vouches for it, so it proves nothing; the code is for whoever corrects the settings.
            sub_code = _sub_code(inner)
            log.error("alipay refuses our requests: %s", sub_code)
            raise ErrorResponse(sub_code)
        if not signatures.verifies(self._public_key, inner.encode(), signature):
            raise PartnerUnavailable("alipay: bad signature")
        return inner


def top_level(text: str) -> dict[str, str]:
    """The members of a JSON object, their values as the raw text they were sent as. Raises `ValueError`."""
    members: dict[str, str] = {}
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("not an object")
    separator = "{"
    while separator != "}":
        name, at = _DECODER.raw_decode(text, _skip(text, at + 1))
        at = _skip(text, at)
        if not isinstance(name, str) or name in members or text[at : at + 1] != ":":
            raise ValueError("not a member")
        start = _skip(text, at + 1)
        _value, end = _DECODER.raw_decode(text, start)
        members[name] = text[start:end]
        at = _skip(text, end)
        separator = text[at : at + 1]
        if separator not in {",", "}"}:
            raise ValueError("not an object")
    if text[at + 1 :].strip(_SPACE):
        raise ValueError("more than one object")
    return members


def _skip(text: str, at: int) -> int:
    """The place of the next character that is no white space."""
    while text[at : at + 1] in set(_SPACE):
        at += 1
    return at


def _sub_code(inner: str) -> str:
    fields = json.loads(inner)
    return str(fields.get("sub_code") or fields.get("code")) if isinstance(fields, dict) else "?"
