"""Aliyun's short messages: SendSms over the RPC v1 signature, and the delivery report pushed afterwards."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox.callbacks import JSON
from sandbox.world import BadControl, beijing, control_body, need, world

blueprint = Blueprint("aliyun_sms", __name__, url_prefix="/aliyun-sms")
control = Blueprint("aliyun_sms_control", __name__, url_prefix="/_sandbox/aliyun-sms")

NAME = "aliyun-sms"
VERSION = "2017-05-25"
WINDOW_SECONDS = 900
MAX_NUMBERS = 1000
# The report is pushed this long after the message, and again after these delays.
REPORT_AFTER_SECONDS = 1.0
REPORT_RETRY_SECONDS = (60, 300, 600)

# Numbers that always fail to send, by code; README.md lists them.
MAGIC_CODES = {
    "19900009001": "isv.BUSINESS_LIMIT_CONTROL",
    "19900009002": "isv.MOBILE_NUMBER_ILLEGAL",
    "19900009003": "isv.AMOUNT_NOT_ENOUGH",
    "19900009004": "isp.SYSTEM_ERROR",
    "19900009005": "isv.BLACK_KEY_CONTROL_LIMIT",
    "19900009006": "isv.OUT_OF_SERVICE",
}
# A number whose report says that delivery failed, and one whose report never comes.
UNDELIVERED = "19900009011"
UNREPORTED = "19900009012"

_MESSAGES = {
    "isv.BUSINESS_LIMIT_CONTROL": "触发小时级流控Permits:5",
    "isv.MOBILE_NUMBER_ILLEGAL": "非法手机号",
    "isv.MOBILE_COUNT_OVER_LIMIT": "手机号码数量超过限制",
    "isv.AMOUNT_NOT_ENOUGH": "账户余额不足",
    "isv.BLACK_KEY_CONTROL_LIMIT": "黑名单管控",
    "isv.OUT_OF_SERVICE": "业务停机",
    "isv.SMS_SIGNATURE_ILLEGAL": "短信签名不合法",
    "isv.SMS_TEMPLATE_ILLEGAL": "短信模版不合法",
    "isv.TEMPLATE_MISSING_PARAMETERS": "模版缺少变量",
    "isv.INVALID_JSON_PARAM": "JSON参数不合法，只接受字符串值",
    "isp.SYSTEM_ERROR": "系统错误",
}


class Refusal(Exception):
    """A code to answer with; `status` is the HTTP status."""

    def __init__(self, code: str, message: str = "", *, status: int = 200) -> None:
        super().__init__(code)
        self.code = code
        self.message = message or _MESSAGES.get(code, code)
        self.status = status


def percent(text: str) -> str:
    """RFC 3986 percent-encoding: only letters, digits and - _ . ~ stay."""
    return quote(text, safe="~")


def string_to_sign(method: str, params: dict[str, str]) -> str:
    """METHOD & %2F & the encoded, sorted query without Signature."""
    pairs = (f"{percent(key)}={percent(params[key])}" for key in sorted(params) if key != "Signature")
    return f"{method}&%2F&{percent('&'.join(pairs))}"


def signature(method: str, params: dict[str, str], secret: str) -> str:
    """Base64 HMAC-SHA1 of the string to sign with the secret and an ampersand."""
    digest = hmac.new(f"{secret}&".encode(), string_to_sign(method, params).encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _answer(status: int, **fields: Any) -> Response:
    fields = {**fields, "RequestId": str(uuid.uuid4()).upper()}
    if request.values.get("Format", "XML").upper() == "JSON":
        return Response(json.dumps(fields, ensure_ascii=False), status, mimetype="application/json")
    inner = "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in fields.items())
    root = "SendSmsResponse" if status == 200 else "Error"
    text = f"<?xml version='1.0' encoding='UTF-8'?><{root}>{inner}</{root}>"
    return Response(text, status, mimetype="text/xml")


@blueprint.errorhandler(Refusal)
def _refuse(refusal: Refusal) -> Response:
    return _answer(refusal.status, Code=refusal.code, Message=refusal.message)


def business_error(value: object) -> Response:
    """HTTP 200 with the code `value`."""
    return _refuse(Refusal(str(value)))


def _authenticate(params: dict[str, str]) -> None:
    ours = world().credentials.product[NAME]
    if params.get("AccessKeyId") != ours["access_key_id"]:
        raise Refusal("InvalidAccessKeyId.NotFound", "Specified access key is not found.", status=404)
    if (params.get("SignatureMethod"), params.get("SignatureVersion")) != ("HMAC-SHA1", "1.0"):
        raise Refusal("InvalidParameter.SignatureMethod", "Specified signature method is not valid.", status=400)
    expected = signature(request.method, params, ours["access_key_secret"])
    if not hmac.compare_digest(params.get("Signature", "").encode(), expected.encode()):
        text = string_to_sign(request.method, params)
        message = f"Specified signature is not matched with our calculation. server string to sign is:{text}"
        raise Refusal("SignatureDoesNotMatch", message, status=400)
    try:
        stamp = datetime.strptime(params.get("Timestamp", ""), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal("InvalidTimeStamp.Format", "Specified time stamp is not well formatted.", status=400) from None
    if abs(time.time() - stamp.timestamp()) > WINDOW_SECONDS:
        raise Refusal("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.", status=400)
    nonce = params.get("SignatureNonce", "")
    if not nonce or not world().store.use_nonce(NAME, nonce, time.time(), 2 * WINDOW_SECONDS):
        raise Refusal("SignatureNonceUsed", "Specified signature nonce was used already.", status=400)


@blueprint.route("/", methods=["GET", "POST"], strict_slashes=False)
def rpc() -> ResponseReturnValue:
    """The RPC endpoint; SendSms is the one action."""
    params = {**request.args.to_dict(), **request.form.to_dict()}
    _authenticate(params)
    if params.get("Action") != "SendSms" or params.get("Version") != VERSION:
        raise Refusal("InvalidAction.NotFound", "Specified api is not found.", status=404)
    return _answer(200, Code="OK", Message="OK", BizId=_send(params))


def _send(params: dict[str, str]) -> str:
    """Put the message into the outbox, once per number: the BizId. Raises `Refusal`."""
    store = world().store
    numbers = params.get("PhoneNumbers", "").split(",")
    if len(numbers) > MAX_NUMBERS:
        raise Refusal("isv.MOBILE_COUNT_OVER_LIMIT")
    for number in numbers:
        if number in MAGIC_CODES:
            raise Refusal(MAGIC_CODES[number])
        if not re.fullmatch(r"1[3-9]\d{9}", number):
            raise Refusal("isv.MOBILE_NUMBER_ILLEGAL")
    if params.get("SignName") != world().credentials.product[NAME]["sign_name"]:
        raise Refusal("isv.SMS_SIGNATURE_ILLEGAL")
    template = params.get("TemplateCode", "")
    if not re.fullmatch(r"SMS_\d{6,12}", template):
        raise Refusal("isv.SMS_TEMPLATE_ILLEGAL")
    fields = _fields(params.get("TemplateParam", "{}"))
    text = f"【{params['SignName']}】{_text(store.setting('sms_templates', {}).get(template), fields)}"
    now = time.time()
    biz_id = f"{int(now * 1000) % 10**12:012d}{uuid.uuid4().int % 10**6:06d}^0"
    by_phone = {person.phone: person.key for person in world().people.all}
    with store.transaction() as db:
        for number in numbers:
            db.execute(
                "INSERT INTO message (at, channel, phone, persona, template, fields, text, reference, out_id)"
                " VALUES (?, 'sms', ?, ?, ?, ?, ?, ?, ?)",
                (now, number, by_phone.get(number), template, json.dumps(fields, ensure_ascii=False), text, biz_id,
                 params.get("OutId")),
            )  # fmt: skip
            _report(number, biz_id, params.get("OutId"), now, len(text))
    return biz_id


def _fields(raw: str) -> dict[str, str]:
    try:
        fields = json.loads(raw or "{}")
    except ValueError:
        raise Refusal("isv.INVALID_JSON_PARAM") from None
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise Refusal("isv.INVALID_JSON_PARAM")
    return fields


def _text(registered: str | None, fields: dict[str, str]) -> str:
    """The message's text: the registered template filled in, else the values themselves."""
    if registered is None:
        return "，".join(f"{key}：{value}" for key, value in fields.items())
    if not set(re.findall(r"\$\{(\w+)\}", registered)) <= set(fields):
        raise Refusal("isv.TEMPLATE_MISSING_PARAMETERS")
    return re.sub(r"\$\{(\w+)\}", lambda match: fields[match[1]], registered)


def _report(number: str, biz_id: str, out_id: str | None, now: float, length: int) -> None:
    """Queue the delivery report, if the console names an address for it."""
    url = world().store.setting("sms_report_url", None)
    if not url or number == UNREPORTED:
        return
    delivered = number != UNDELIVERED
    report = {
        "phone_number": number,
        "send_time": beijing(now),
        "report_time": beijing(now + REPORT_AFTER_SECONDS),
        "success": delivered,
        "err_code": "DELIVERED" if delivered else "MK:0001",
        "err_msg": "用户接收成功" if delivered else "空号",
        "sms_size": str(1 if length <= 70 else -(-length // 67)),
        "biz_id": biz_id,
        "out_id": out_id or "",
    }
    world().callbacks.enqueue(
        NAME,
        "SmsReport",
        reference=f"{biz_id}/{number}",
        url=url,
        body=json.dumps([report], ensure_ascii=False).encode(),
        content_type=JSON,
        retry_after=REPORT_RETRY_SECONDS,
        wait=REPORT_AFTER_SECONDS,
    )


@control.post("/configure")
def configure() -> ResponseReturnValue:
    """What one would enter in Aliyun's console: `report_url`, and `templates` as {code: text with ${variables}}."""
    body, store = control_body(), world().store
    if "report_url" in body:
        store.set_setting("sms_report_url", need(body, "report_url"))
    templates = body.get("templates", {})
    if not isinstance(templates, dict):
        raise BadControl("templates must be an object of code and text")
    store.set_setting("sms_templates", {**store.setting("sms_templates", {}), **templates})
    return {"report_url": store.setting("sms_report_url", None), "templates": store.setting("sms_templates", {})}
