"""Tencent's short messages: TC3 signature by the published vector, statuses by number, reports (5.2)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.tencent_sms import MAGIC_CODES, signature
from tests.sandbox.conftest import Listener
from tests.sandbox.partners import inject
from tests.sandbox_client import Sandbox

PHONE = "19900000001"
VECTORS = [
    vector
    for vector in json.loads((Path(__file__).parent.parent / "data/vectors.json").read_text(encoding="utf-8"))[
        "vectors"
    ]
    if vector["id"].startswith("tencent.tc3")
]


def call(
    sandbox: Sandbox,
    *,
    number: str = f"+86{PHONE}",
    at: float | None = None,
    secret: str = "",
    action: str = "SendSms",
    **over: Any,
) -> dict[str, Any]:
    ours = sandbox.credentials["tencent-sms"]
    stamp = int(at or time.time())
    fields = {
        "PhoneNumberSet": [number],
        "SmsSdkAppId": ours["sdk_app_id"],
        "SignName": ours["sign_name"],
        "TemplateId": "330200001",
        "TemplateParamSet": ["246810", "5"],
        "SessionContext": "out-1",
        **over,
    }
    body = json.dumps(fields, ensure_ascii=False).encode()
    host = sandbox.url.removeprefix("http://")
    signed = {"content-type": "application/json; charset=utf-8", "host": host}
    mac = signature(secret or ours["secret_key"], timestamp=stamp, service="sms", headers=signed, body=body)
    day = time.strftime("%Y-%m-%d", time.gmtime(stamp))
    credential = f"{ours['secret_id']}/{day}/sms/tc3_request"
    headers = {
        "Content-Type": signed["content-type"],
        "X-TC-Action": action,
        "X-TC-Version": "2021-01-11",
        "X-TC-Region": "ap-nanjing",
        "X-TC-Timestamp": str(stamp),
        "Authorization": f"TC3-HMAC-SHA256 Credential={credential}, SignedHeaders=content-type;host, Signature={mac}",
    }
    answer = requests.post(f"{sandbox.url}/tencent-sms/", body, headers=headers, timeout=5)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["Response"]
    return found


def code_of(answer: dict[str, Any]) -> str:
    return str(answer["Error"]["Code"] if "Error" in answer else answer["SendStatusSet"][0]["Code"])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_the_signature_is_the_published_one(vector: dict[str, Any]) -> None:
    given = vector["input"]
    known = {"content-type": given["content_type"], "host": given["host"], "x-tc-action": given["action"]}
    headers = {name: known[name] for name in given["signed_headers"].split(";")}
    made = signature(
        given["secret_key"],
        timestamp=given["timestamp"],
        service=given["service"],
        headers=headers,
        body=given["body"].encode(),
    )
    assert made == vector["expected"]["signature"]


def test_a_message_reaches_the_outbox(sandbox: Sandbox) -> None:
    sandbox.post("tencent-sms/configure", templates={"330200001": "您的验证码是{1}，{2}分钟内有效。"})
    status = call(sandbox)["SendStatusSet"][0]
    assert (status["Code"], status["SessionContext"]) == ("Ok", "out-1")
    (sent,) = sandbox.get("outbox.json", phone=PHONE)["messages"]
    assert sent["text"] == "【宁波政务】您的验证码是246810，5分钟内有效。"
    assert (sent["reference"], sent["persona"], sent["out_id"]) == (status["SerialNo"], "zhang-wei", "out-1")


@pytest.mark.parametrize(("number", "code"), MAGIC_CODES.items())
def test_numbers_that_always_fail(sandbox: Sandbox, number: str, code: str) -> None:
    assert code_of(call(sandbox, number=f"+86{number}")) == code


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"secret": "x" * 32}, "AuthFailure.SignatureFailure"),
        ({"at": time.time() - 400}, "AuthFailure.SignatureExpire"),
        ({"action": "Other"}, "InvalidAction"),
        ({"SmsSdkAppId": "1"}, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
        ({"SignName": "别人"}, "FailedOperation.SignatureIncorrectOrUnapproved"),
        ({"TemplateId": "SMS_1"}, "FailedOperation.TemplateIncorrectOrUnapproved"),
        ({"TemplateParamSet": [1]}, "InvalidParameterValue.TemplateParameterFormatError"),
        ({"number": "19900000001"}, "InvalidParameterValue.IncorrectPhoneNumber"),
    ],
)
def test_what_is_refused(sandbox: Sandbox, over: dict[str, Any], code: str) -> None:
    assert code_of(call(sandbox, **over)) == code
    assert sandbox.get("outbox.json", phone=PHONE)["messages"] == []


def test_a_template_wants_all_its_variables(sandbox: Sandbox) -> None:
    sandbox.post("tencent-sms/configure", templates={"330200001": "{1}和{2}和{3}"})
    assert code_of(call(sandbox)) == "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"


def test_the_report_is_pushed_until_it_is_received(sandbox: Sandbox, listener: Listener) -> None:
    listener.answers = [(500, b""), (200, b'{"result": 0, "errmsg": "OK"}')]
    sandbox.post("tencent-sms/configure", report_url=listener.url)
    serial = call(sandbox)["SendStatusSet"][0]["SerialNo"]
    first, second = listener.wait_for(2)
    assert first.body == second.body
    (report,) = json.loads(first.body)
    assert (report["sid"], report["report_status"], report["mobile"]) == (serial, "SUCCESS", PHONE)


def test_faults(sandbox: Sandbox) -> None:
    inject(sandbox, "tencent-sms", "error", value="InternalError.OtherError")
    assert code_of(call(sandbox)) == "InternalError.OtherError"
