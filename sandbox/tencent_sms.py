"""Tencent's short messages: SendSms 2021-01-11 over TC3-HMAC-SHA256, and the report pushed afterwards."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox.callbacks import JSON
from sandbox.world import BadControl, beijing, control_body, need, world

blueprint = Blueprint("tencent_sms", __name__, url_prefix="/tencent-sms")
control = Blueprint("tencent_sms_control", __name__, url_prefix="/_sandbox/tencent-sms")

NAME = "tencent-sms"
VERSION = "2021-01-11"
SERVICE = "sms"
WINDOW_SECONDS = 300
MAX_NUMBERS = 200
REPORT_AFTER_SECONDS = 1.0
REPORT_RETRY_SECONDS = (60, 300, 600)

# Numbers that always fail to send, by code; README.md lists them.
MAGIC_CODES = {
    "19900009001": "LimitExceeded.PhoneNumberOneHourLimit",
    "19900009002": "InvalidParameterValue.IncorrectPhoneNumber",
    "19900009003": "FailedOperation.InsufficientBalanceInSmsPackage",
    "19900009004": "InternalError.OtherError",
    "19900009005": "FailedOperation.PhoneNumberInBlacklist",
}
UNDELIVERED = "19900009011"
UNREPORTED = "19900009012"

_HEADER = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<day>[\d-]{10})/(?P<service>[a-z]+)/tc3_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_SIGNED = {"content-type", "host"}


class Refusal(Exception):
    """A code to answer with, for the whole request."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message or code


def _answer(**fields: Any) -> Response:
    text = json.dumps({"Response": {**fields, "RequestId": str(uuid.uuid4())}}, ensure_ascii=False)
    return Response(text, mimetype="application/json")


@blueprint.errorhandler(Refusal)
def _refuse(refusal: Refusal) -> Response:
    return _answer(Error={"Code": refusal.code, "Message": refusal.message})


def business_error(value: object) -> Response:
    """HTTP 200 with the error `value`."""
    return _refuse(Refusal(str(value)))


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret: str, *, timestamp: int, service: str, headers: dict[str, str], body: bytes) -> str:
    """TC3-HMAC-SHA256 of a POST to "/" as Tencent documents it, step by step."""
    names = sorted(headers)
    canonical_headers = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
    request_text = "\n".join(["POST", "/", "", canonical_headers, ";".join(names), hashlib.sha256(body).hexdigest()])
    day = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    to_sign = "\n".join(
        [
            "TC3-HMAC-SHA256",
            str(timestamp),
            f"{day}/{service}/tc3_request",
            hashlib.sha256(request_text.encode()).hexdigest(),
        ]
    )
    signing = _hmac(_hmac(_hmac(f"TC3{secret}".encode(), day), service), "tc3_request")
    return hmac.new(signing, to_sign.encode(), hashlib.sha256).hexdigest()


def _authenticate() -> None:
    ours = world().credentials.product[NAME]
    found = _HEADER.fullmatch(request.headers.get("Authorization", ""))
    stamp = request.headers.get("X-TC-Timestamp", "")
    if found is None or not stamp.isdigit():
        raise Refusal("AuthFailure.InvalidAuthorization")
    if found["id"] != ours["secret_id"]:
        raise Refusal("AuthFailure.SecretIdNotFound")
    if abs(time.time() - int(stamp)) > WINDOW_SECONDS:
        raise Refusal("AuthFailure.SignatureExpire")
    names = found["headers"].split(";")
    day = datetime.fromtimestamp(int(stamp), UTC).strftime("%Y-%m-%d")
    expected = signature(
        ours["secret_key"],
        timestamp=int(stamp),
        service=SERVICE,
        headers={name: request.headers.get(name, "") for name in names},
        body=request.get_data(),
    )
    if (
        not set(names) >= _SIGNED
        or (found["day"], found["service"]) != (day, SERVICE)
        or not hmac.compare_digest(expected, found["signature"])
    ):
        raise Refusal("AuthFailure.SignatureFailure")


@blueprint.post("/", strict_slashes=False)
def call() -> ResponseReturnValue:
    """The endpoint; SendSms is the one action."""
    _authenticate()
    if request.headers.get("X-TC-Action") != "SendSms" or request.headers.get("X-TC-Version") != VERSION:
        raise Refusal("InvalidAction")
    if not request.headers.get("X-TC-Region"):
        raise Refusal("MissingParameter")
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise Refusal("InvalidParameter") from None
    if not isinstance(body, dict):
        raise Refusal("InvalidParameter")
    return _answer(SendStatusSet=_send(body))


def _send(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Put the messages into the outbox: a status per number. Raises `Refusal`."""
    ours, store = world().credentials.product[NAME], world().store
    numbers, params = body.get("PhoneNumberSet"), body.get("TemplateParamSet", [])
    if not isinstance(numbers, list) or not 0 < len(numbers) <= MAX_NUMBERS:
        raise Refusal("InvalidParameterValue.IncorrectPhoneNumber")
    if body.get("SmsSdkAppId") != ours["sdk_app_id"]:
        raise Refusal("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
    if body.get("SignName") != ours["sign_name"]:
        raise Refusal("FailedOperation.SignatureIncorrectOrUnapproved")
    template = str(body.get("TemplateId", ""))
    if not re.fullmatch(r"\d{5,12}", template):
        raise Refusal("FailedOperation.TemplateIncorrectOrUnapproved")
    if not isinstance(params, list) or not all(isinstance(value, str) for value in params):
        raise Refusal("InvalidParameterValue.TemplateParameterFormatError")
    text = f"【{body['SignName']}】{_text(store.setting('tencent_templates', {}).get(template), params)}"
    return [_one(str(number), template, params, text, str(body.get("SessionContext", ""))) for number in numbers]


def _text(registered: str | None, params: list[str]) -> str:
    """The message's text: the registered template filled in, else the values themselves."""
    if registered is None:
        return "，".join(params)
    if len(set(re.findall(r"\{(\d+)\}", registered))) != len(params):
        raise Refusal("FailedOperation.TemplateParamSetNotMatchApprovedTemplate")
    return re.sub(r"\{(\d+)\}", lambda match: params[int(match[1]) - 1], registered)


def _one(number: str, template: str, params: list[str], text: str, context: str) -> dict[str, Any]:
    national = number.removeprefix("+86")
    status = {"SerialNo": "", "PhoneNumber": number, "Fee": 0, "SessionContext": context, "IsoCode": "CN"}
    code = MAGIC_CODES.get(national)
    if code is None and not re.fullmatch(r"\+861[3-9]\d{9}", number):
        code = "InvalidParameterValue.IncorrectPhoneNumber"
    if code is not None:
        return {**status, "Code": code, "Message": code}
    now = time.time()
    serial = f"{SERVICE}:{int(now * 1000) % 10**12:012d}{uuid.uuid4().int % 10**10:010d}"
    by_phone = {person.phone: person.key for person in world().people.all}
    fields = {str(position): value for position, value in enumerate(params, 1)}
    with world().store.transaction() as db:
        db.execute(
            "INSERT INTO message (at, channel, phone, persona, template, fields, text, reference, out_id)"
            " VALUES (?, 'sms', ?, ?, ?, ?, ?, ?, ?)",
            (now, national, by_phone.get(national), template, json.dumps(fields, ensure_ascii=False), text, serial,
             context or None),
        )  # fmt: skip
        _report(national, serial, now)
    return {**status, "SerialNo": serial, "Fee": 1, "Code": "Ok", "Message": "send success"}


def _report(number: str, serial: str, now: float) -> None:
    """Queue the delivery report, if the console names an address for it."""
    url = world().store.setting("tencent_report_url", None)
    if not url or number == UNREPORTED:
        return
    delivered = number != UNDELIVERED
    report = {
        "user_receive_time": beijing(now + REPORT_AFTER_SECONDS),
        "nationcode": "86",
        "mobile": number,
        "report_status": "SUCCESS" if delivered else "FAIL",
        "errmsg": "DELIVRD" if delivered else "MK:0001",
        "description": "用户短信送达成功" if delivered else "空号",
        "sid": serial,
    }
    world().callbacks.enqueue(
        NAME,
        "SmsReport",
        reference=f"{serial}/{number}",
        url=url,
        body=json.dumps([report], ensure_ascii=False).encode(),
        content_type=JSON,
        retry_after=REPORT_RETRY_SECONDS,
        wait=REPORT_AFTER_SECONDS,
    )


@control.post("/configure")
def configure() -> ResponseReturnValue:
    """What one would enter in Tencent's console: `report_url`, and `templates` as {id: text with {1}, {2} …}."""
    body, store = control_body(), world().store
    if "report_url" in body:
        store.set_setting("tencent_report_url", need(body, "report_url"))
    templates = body.get("templates", {})
    if not isinstance(templates, dict):
        raise BadControl("templates must be an object of id and text")
    store.set_setting("tencent_templates", {**store.setting("tencent_templates", {}), **templates})
    return {
        "report_url": store.setting("tencent_report_url", None),
        "templates": store.setting("tencent_templates", {}),
    }
