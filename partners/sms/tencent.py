"""Tencent's SendSms 2021-01-11, and the reports that Tencent pushes afterwards (PROTOCOLS 5.2).

Tencent doesn't recognise a repeated request, so we do: a message is noted in Redis before it is asked for, and one whose
answer never came is not asked for again (it may have gone out). One-time codes are not noted: twice is harmless there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from redis.exceptions import RedisError

from core import cache, clock, ids
from core.identifiers import IdentifierError, normalise_phone
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import TencentSmsSettings
from notifications.channels.ports import NotSent, NumberLimited, SmsReport
from partners import http
from partners.sms import ONE_TIME_CODE, tc3

PARTNER = "tencent-sms"
VERSION = "2021-01-11"

# Their code → our word: this message will never go out.
_REFUSALS = {
    "InvalidParameterValue.IncorrectPhoneNumber": "PHONE_INVALID",
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": "PHONE_ABROAD",
    "FailedOperation.PhoneNumberInBlacklist": "CONTENT_OR_PHONE_BLOCKED",
    "FailedOperation.ContainSensitiveWord": "CONTENT_OR_PHONE_BLOCKED",
    "FailedOperation.SignatureIncorrectOrUnapproved": "SIGN_NAME_UNKNOWN",
    "FailedOperation.TemplateIncorrectOrUnapproved": "TEMPLATE_UNKNOWN",
    "FailedOperation.TemplateUnapprovedOrNotExist": "TEMPLATE_UNKNOWN",
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": "PARAMETER_MISSING",
    "InvalidParameterValue.TemplateParameterFormatError": "PARAMETER_INVALID",
    "InvalidParameterValue.TemplateParameterLengthLimit": "PARAMETER_TOO_LONG",
}
# Their code: too many messages to this one number.
_NUMBER_LIMIT = "LimitExceeded.PhoneNumber"
# Their code: not sent, but it may go out later.
_LATER_PREFIXES = (
    "LimitExceeded",
    "RequestLimitExceeded",
    "InternalError",
    "ResourceUnavailable",
    "ResourceInsufficient",
    "AuthFailure",
    "UnauthorizedOperation",
    "FailedOperation.InsufficientBalanceInSmsPackage",
    "FailedOperation.OtherError",
)
_SUCCESS = "Ok"
_LONGEST_VALUE = 35
# Longer than anybody asks again (notifications.channels.rules.REPEAT_WITHIN).
_REMEMBER_SECONDS = 900
_OPEN = "?"

log = logging.getLogger("partners.sms")


@dataclass(frozen=True, slots=True)
class TencentTemplate:
    """A template of our account: its id, and our fields in the order in which Tencent numbers them."""

    template_id: str
    fields: Sequence[str]


class TencentSms:
    """Short messages by the templates registered in our account, by our own code."""

    name = PARTNER

    def __init__(self, settings: TencentSmsSettings, templates: Mapping[str, TencentTemplate]) -> None:
        self._settings = settings
        self._templates = templates

    def send_code(self, phone: str, code: str, minutes: int, purpose: str) -> None:  # noqa: ARG002  # one text for all
        """Send a one-time code to `phone` (E.164). Raises `PartnerUnavailable`, `PartnerRefused` (our word)."""
        params = {"code": code, "minutes": str(minutes)}
        self._send(phone=phone, template=ONE_TIME_CODE, params=params, context=str(ids.uuid7()))

    def send(self, *, phone: str, template: str, params: Mapping[str, str], out_id: str, attempt: int) -> str:
        """Send one message to `phone` (E.164); Tencent's serial number.

        The same `out_id` and `attempt` goes out once. Raises `NotSent` (also while Redis is away: nothing could be
        noted), `PartnerUnavailable` (unknown, and stays so), `PartnerRefused` (our word).
        """
        key = f"sms:{PARTNER}:{{{out_id}}}:{attempt}"
        try:
            fresh = cache.client().set(key, _OPEN, nx=True, ex=_REMEMBER_SECONDS)
            known = "" if fresh else str(cache.client().get(key) or _OPEN)
        except RedisError:
            raise NotSent(PARTNER) from None
        if known == _OPEN:
            raise PartnerUnavailable(PARTNER)
        if known:
            return known
        try:
            serial = self._send(phone=phone, template=template, params=params, context=out_id)
        except (NotSent, PartnerRefused):
            self._note(key, None)
            raise
        self._note(key, serial)
        return serial

    def _note(self, key: str, serial: str | None) -> None:
        """Keep the answer; without one the question may be asked again."""
        try:
            if serial is None:
                cache.client().delete(key)
            else:
                cache.client().set(key, serial, ex=_REMEMBER_SECONDS)
        except RedisError:
            log.warning("an answer of tencent could not be noted: Redis is away")

    def _send(self, *, phone: str, template: str, params: Mapping[str, str], context: str) -> str:
        try:
            number = normalise_phone(phone)
        except IdentifierError:
            raise PartnerRefused("PHONE_INVALID") from None
        if not number.is_mainland:
            raise PartnerRefused("PHONE_ABROAD")
        known = self._templates.get(template)
        if known is None:
            raise PartnerRefused("TEMPLATE_UNKNOWN")
        answer = self._ask(
            {
                "PhoneNumberSet": [number.e164],
                "SmsSdkAppId": self._settings.sdk_app_id,
                "SignName": self._settings.sign_name,
                "TemplateId": known.template_id,
                "TemplateParamSet": [params[name][:_LONGEST_VALUE] for name in known.fields],
                "SessionContext": context,
            }
        )
        return _read(answer, template)

    def _ask(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The content of `Response`. Raises `NotSent` when the request can't have arrived, `PartnerUnavailable`."""
        body = json.dumps(fields, ensure_ascii=False).encode()
        timestamp = int(clock.wall().timestamp())
        signed = {
            "content-type": "application/json; charset=utf-8",
            "host": urlsplit(self._settings.url).netloc,
            "x-tc-action": "SendSms",
        }
        headers = {
            "Content-Type": signed["content-type"],
            "X-TC-Action": signed["x-tc-action"],
            "X-TC-Version": VERSION,
            "X-TC-Region": self._settings.region,
            "X-TC-Timestamp": str(timestamp),
            "Authorization": tc3.authorization(
                secret_id=self._settings.secret_id,
                secret_key=self._settings.secret_key,
                service="sms",
                timestamp=timestamp,
                headers=signed,
                body=body,
            ),
        }
        try:
            answer = http.request(PARTNER, "POST", f"{self._settings.url}/", data=body, headers=headers)
        except http.NotReached:
            raise NotSent(PARTNER, reached=False) from None
        try:
            found = answer.json()["Response"]
        except (ValueError, KeyError, TypeError):
            raise PartnerUnavailable(PARTNER) from None
        if not isinstance(found, dict):
            raise PartnerUnavailable(PARTNER)
        return found

    def read_reports(self, body: bytes) -> Sequence[SmsReport]:
        """The reports in a pushed JSON array. Raises `ValueError` for another shape."""
        found = json.loads(body)
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise ValueError("not an array of reports")
        return [
            SmsReport(
                reference=str(entry.get("sid", "")),
                out_id="",
                delivered=entry.get("report_status") == "SUCCESS",
                code=str(entry.get("errmsg", "")),
            )
            for entry in found
        ]


def _read(answer: Mapping[str, Any], template: str) -> str:
    """The serial number of a message that was taken. Raises what `TencentSms.send` raises."""
    sent = answer.get("SendStatusSet")
    error = answer.get("Error")
    if isinstance(error, dict):
        code, serial = str(error.get("Code", "")), ""
    elif isinstance(sent, list) and len(sent) == 1 and isinstance(sent[0], dict):
        code, serial = str(sent[0].get("Code", "")), str(sent[0].get("SerialNo", ""))
    else:
        raise PartnerUnavailable(PARTNER)
    if code == _SUCCESS:
        return serial
    facts = {"code": code[:80], "template": template, "tencent_request": str(answer.get("RequestId", ""))[:60]}
    if code.startswith(_NUMBER_LIMIT):
        log.warning("tencent: too many messages to one number", extra=facts)
        raise NumberLimited(PARTNER)
    if code.startswith(_LATER_PREFIXES):
        log.warning("tencent doesn't send now", extra=facts)
        raise NotSent(PARTNER)
    log.warning("tencent refused a short message", extra=facts)
    raise PartnerRefused(_REFUSALS.get(code, "SMS_REFUSED"))
