"""Aliyun's short messages: RPC v1 signature by the published vector, codes by number, reports (5.1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.aliyun_sms import MAGIC_CODES, signature
from tests.sandbox.conftest import Listener, wait_until
from tests.sandbox.partners import AliyunSms
from tests.sandbox_client import Sandbox

PHONE = "19900000001"
VECTORS = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parent.parent / "data/vectors.json").read_text(encoding="utf-8"))[
        "vectors"
    ]
}


@pytest.fixture
def sms(sandbox: Sandbox) -> AliyunSms:
    return AliyunSms(sandbox)


def test_the_signature_is_the_published_one() -> None:
    vector = VECTORS["aliyun.sms.rpc_v1"]
    given = vector["input"]
    assert signature(given["method"], given["params"], given["secret"]) == vector["expected"]["signature"]
    assert signature("GET", given["params"], "testsecret") != vector["expected"]["signature"]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_message_reaches_the_outbox(sms: AliyunSms, method: str) -> None:
    answer = sms.send(PHONE, method, OutId="out-1").json()
    assert (answer["Code"], answer["Message"]) == ("OK", "OK")
    sent = sms.sandbox.get("outbox.json", phone=PHONE)["messages"]
    assert len(sent) == 1
    assert sent[0]["code"] == "135790"
    assert (sent[0]["persona"], sent[0]["reference"], sent[0]["out_id"]) == ("zhang-wei", answer["BizId"], "out-1")
    assert sent[0]["text"].startswith("【宁波政务】") and "135790" in sent[0]["text"]


def test_registered_templates_are_filled_in(sms: AliyunSms) -> None:
    sms.sandbox.post("aliyun-sms/configure", templates={"SMS_100001": "验证码${code}，${minutes}分钟内有效。"})
    sms.send(PHONE)
    assert sms.sandbox.get("outbox.json")["messages"][0]["text"] == "【宁波政务】验证码135790，5分钟内有效。"
    missing = sms.send(PHONE, TemplateParam=json.dumps({"code": "1"})).json()
    assert missing["Code"] == "isv.TEMPLATE_MISSING_PARAMETERS"


@pytest.mark.parametrize(
    ("over", "status", "code"),
    [({"Signature": ""}, 400, "SignatureDoesNotMatch"), ({"AccessKeyId": "x"}, 404, "InvalidAccessKeyId.NotFound"),
     ({"Timestamp": "2017-07-12T02:42:19Z"}, 400, "InvalidTimeStamp.Expired"),
     ({"Timestamp": "now"}, 400, "InvalidTimeStamp.Format"), ({"Action": "Send"}, 404, "InvalidAction.NotFound"),
     ({"SignName": "别人的签名"}, 200, "isv.SMS_SIGNATURE_ILLEGAL"),
     ({"TemplateCode": "none"}, 200, "isv.SMS_TEMPLATE_ILLEGAL"),
     ({"TemplateParam": '{"code": 1}'}, 200, "isv.INVALID_JSON_PARAM"),
     ({"PhoneNumbers": "12345"}, 200, "isv.MOBILE_NUMBER_ILLEGAL")],
)  # fmt: skip
def test_refusals_send_nothing(sms: AliyunSms, over: dict[str, str], status: int, code: str) -> None:
    if over == {"Signature": ""}:
        secret, sms.ours = sms.ours, {**sms.ours, "access_key_secret": "wrong"}
        answer = sms.send(PHONE)
        sms.ours = secret
    else:
        answer = sms.send(PHONE, **over)
    assert (answer.status_code, answer.json()["Code"]) == (status, code)
    assert sms.sandbox.get("outbox.json")["messages"] == []


def test_a_nonce_works_once(sms: AliyunSms) -> None:
    assert sms.send(PHONE, SignatureNonce="nonce-1").json()["Code"] == "OK"
    assert sms.send(PHONE, SignatureNonce="nonce-1").json()["Code"] == "SignatureNonceUsed"
    assert len(sms.sandbox.get("outbox.json")["messages"]) == 1


@pytest.mark.parametrize(("number", "code"), MAGIC_CODES.items())
def test_magic_numbers(sms: AliyunSms, number: str, code: str) -> None:
    assert sms.send(number).json()["Code"] == code


def test_xml_is_answered_when_asked_for(sms: AliyunSms) -> None:
    answer = sms.send(PHONE, Format="XML")
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert "<Code>OK</Code>" in answer.text


def test_reports_follow_until_they_are_taken(sms: AliyunSms, listener: Listener) -> None:
    listener.answers = [(500, b""), (200, '{"code":0,"msg":"接收成功"}'.encode())]
    sms.sandbox.post("aliyun-sms/configure", report_url=f"{listener.url}/reports")
    biz_id = sms.send(PHONE, OutId="out-2").json()["BizId"]
    first, second = listener.wait_for(2)
    assert first.body == second.body
    (report,) = json.loads(first.body)
    assert report["success"] is True
    assert (report["biz_id"], report["phone_number"], report["out_id"]) == (biz_id, PHONE, "out-2")
    wait_until(lambda: sms.sandbox.get("callbacks.json")["callbacks"][0]["state"] == "delivered")


def test_reports_of_the_magic_numbers(sms: AliyunSms, listener: Listener) -> None:
    listener.answers = [(200, b'{"code":0}')]
    sms.sandbox.post("aliyun-sms/configure", report_url=listener.url)
    sms.send("19900009012")
    sms.send("19900009011")
    (report,) = json.loads(listener.wait_for(1)[0].body)
    assert (report["phone_number"], report["success"]) == ("19900009011", False)
    assert [callback["reference"].split("/")[1] for callback in sms.sandbox.get("callbacks.json")["callbacks"]] == [
        "19900009011"
    ]
