"""SendSms, and the reports that Aliyun pushes afterwards."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from core import clock, ids
from core.identifiers import IdentifierError, normalise_phone
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import SmsSettings
from notifications.channels.ports import NotSent, NumberLimited, SmsReport
from partners import http
from partners.sms import ONE_TIME_CODE
from partners.sms.signature import sign

PARTNER = "aliyun-sms"
VERSION = "2017-05-25"

# Their code → our word: this message will never go out.
_REFUSALS = {
    "isv.MOBILE_NUMBER_ILLEGAL": "PHONE_INVALID",
    "isv.BLACK_KEY_CONTROL_LIMIT": "CONTENT_OR_PHONE_BLOCKED",
    "isv.SMS_SIGNATURE_ILLEGAL": "SIGN_NAME_UNKNOWN",
    "isv.SMS_TEMPLATE_ILLEGAL": "TEMPLATE_UNKNOWN",
    "isv.TEMPLATE_MISSING_PARAMETERS": "PARAMETER_MISSING",
    "isv.INVALID_PARAMETERS": "PARAMETER_INVALID",
    "isv.INVALID_JSON_PARAM": "PARAMETER_INVALID",
    "isv.PARAM_LENGTH_LIMIT": "PARAMETER_TOO_LONG",
}
# Their code: too many messages to this one number.
_NUMBER_LIMITS = frozenset({"isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL"})
# Their code: not sent, but the same message may go out later (an empty account, a fault of theirs).
_LATER = frozenset(
    {
        "isv.AMOUNT_NOT_ENOUGH",
        "isv.OUT_OF_SERVICE",
        "isv.ACCOUNT_ABNORMAL",
        "isp.SYSTEM_ERROR",
        "isp.RAM_PERMISSION_DENY",
    }
)
_LATER_PREFIXES = (
    "Throttling",
    "ServiceUnavailable",
    "InternalError",
    "InvalidTimeStamp",
    "InvalidAccessKeyId",
    "Signature",
)
# The request with this nonce arrived before: what it asked for has been done.
_KNOWN_REQUEST = "SignatureNonceUsed"

# Aliyun refuses longer values of a variable.
_LONGEST_VALUE = 35
_SUCCESS = "OK"

log = logging.getLogger("partners.sms")


class AliyunSms:
    """Short messages by the templates registered in our account: `template_codes` by our own code."""

    name = PARTNER

    def __init__(self, settings: SmsSettings, template_codes: Mapping[str, str]) -> None:
        self._settings = settings
        self._template_codes = template_codes

    def send_code(self, phone: str, code: str, minutes: int, purpose: str) -> None:  # noqa: ARG002  # one text for all
        """Send a one-time code to `phone` (E.164). Raises `PartnerUnavailable`, `PartnerRefused` (our word)."""
        params = {"code": code, "minutes": str(minutes)}
        self.send(phone=phone, template=ONE_TIME_CODE, params=params, out_id=str(ids.uuid7()), attempt=0)

    def send(self, *, phone: str, template: str, params: Mapping[str, str], out_id: str, attempt: int) -> str:
        """Send one message to `phone` (E.164); BizId, "" when Aliyun knew the request already.

        The nonce is made of `out_id` (a UUID) and `attempt`, so Aliyun takes a repetition within 15 minutes for what it
        is. Raises `NotSent`, `PartnerUnavailable` (unknown), `PartnerRefused` (our word).
        """
        try:
            number = normalise_phone(phone)
        except IdentifierError:
            raise PartnerRefused("PHONE_INVALID") from None
        if not number.is_mainland:
            raise PartnerRefused("PHONE_ABROAD")
        if template not in self._template_codes:
            raise PartnerRefused("TEMPLATE_UNKNOWN")
        values = {name: value[:_LONGEST_VALUE] for name, value in params.items()}
        answer = self._ask(
            {
                "Action": "SendSms",
                "PhoneNumbers": number.national,
                "SignName": self._settings.sign_name,
                "TemplateCode": self._template_codes[template],
                "TemplateParam": json.dumps(values, ensure_ascii=False),
                "OutId": out_id,
            },
            nonce=str(uuid5(UUID(out_id), str(attempt))),
        )
        return self._read(answer, template)

    def _ask(self, action: Mapping[str, str], *, nonce: str) -> dict[str, Any]:
        params = {
            **action,
            "AccessKeyId": self._settings.access_key_id,
            "Format": "JSON",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureNonce": nonce,
            "SignatureVersion": "1.0",
            "Timestamp": f"{clock.wall():%Y-%m-%dT%H:%M:%SZ}",
            "Version": VERSION,
        }
        params["Signature"] = sign("POST", params, self._settings.access_key_secret)
        try:
            answer = http.request(PARTNER, "POST", f"{self._settings.url}/", data=params)
        except http.NotReached:
            raise NotSent(PARTNER, reached=False) from None
        try:
            found = answer.json()
        except ValueError:
            raise PartnerUnavailable(PARTNER) from None
        if not isinstance(found, dict):
            raise PartnerUnavailable(PARTNER)
        return found

    def _read(self, answer: Mapping[str, Any], template: str) -> str:
        """BizId of a message that was taken. Raises what `send` raises."""
        code = str(answer.get("Code", ""))
        if code == _SUCCESS:
            return str(answer.get("BizId", ""))
        if code == _KNOWN_REQUEST:
            return ""
        facts = {"code": code[:60], "template": template, "aliyun_request": str(answer.get("RequestId", ""))[:60]}
        if code in _NUMBER_LIMITS:
            log.warning("aliyun: too many messages to one number", extra=facts)
            raise NumberLimited(PARTNER)
        if code in _LATER or code.startswith(_LATER_PREFIXES):
            log.warning("aliyun doesn't send now", extra=facts)
            raise NotSent(PARTNER)
        log.warning("aliyun refused a short message", extra=facts)
        raise PartnerRefused(_REFUSALS.get(code, "SMS_REFUSED"))

    def read_reports(self, body: bytes) -> Sequence[SmsReport]:
        """The reports in a pushed JSON array. Raises `ValueError` for another shape."""
        found = json.loads(body)
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise ValueError("not an array of reports")
        return [
            SmsReport(
                reference=str(entry.get("biz_id", "")),
                out_id=str(entry.get("out_id", "")),
                # The flag is a boolean in the samples; some accounts see it as text.
                delivered=str(entry.get("success", "")).lower() == "true",
                code=str(entry.get("err_code", "")),
            )
            for entry in found
        ]
