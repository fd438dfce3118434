"""The control plane: the page, the outbox, the log of calls without secrets, reset."""

from __future__ import annotations

import json

import requests

from tests.sandbox.partners import Alipay, AliyunSms, IdentityAuthority, Kuaidi100, WeChat, inject
from tests.sandbox.test_identity_authority import about
from tests.sandbox_client import Sandbox


def everything(sandbox: Sandbox) -> str:
    """Use every partner once: the waybill."""
    WeChat(sandbox).login(sandbox.post("wechat/login-code", persona="zhang-wei")["code"])
    Alipay(sandbox).paid("T<1>".replace("<1>", "1"))
    IdentityAuthority(sandbox).post(about("zhang-wei"))
    AliyunSms(sandbox).send("19900000001", TemplateParam=json.dumps({"code": "<i>1</i>"}))
    couriers = Kuaidi100(sandbox)
    waybill: str = couriers.order("S1")["data"]["kuaidinum"]
    couriers.subscribe(waybill, "http://127.0.0.1:9/x")
    return waybill


def test_the_page_shows_it_all_without_scripts(sandbox: Sandbox) -> None:
    waybill = everything(sandbox)
    inject(sandbox, "alipay", "late_callback", value=5)
    page = requests.get(f"{sandbox.url}/_sandbox/", timeout=5)
    assert page.status_code == 200
    assert '<html lang="zh-CN">' in page.text and "<script" not in page.text
    for text in ("张伟", "张小宝", "T1", waybill, "late_callback", "【宁波政务】", "jscode2session", "Outbox"):
        assert text in page.text, text
    assert "<i>1</i>" not in page.text


def test_the_pages_buttons_work_as_forms(sandbox: Sandbox) -> None:
    waybill = everything(sandbox)
    form = {"waybill": waybill, "script": "to_the_door"}
    moved = requests.post(f"{sandbox.url}/_sandbox/kuaidi100/advance", form, allow_redirects=False, timeout=5)
    assert (moved.status_code, moved.headers["Location"]) == (303, "/_sandbox/")
    signed = {"waybill": waybill, "delivery_code": "123456", "state": "signed"}
    requests.post(f"{sandbox.url}/_sandbox/kuaidi100/advance", signed, timeout=5).raise_for_status()
    (parcel,) = sandbox.get("kuaidi100/parcels.json")["parcels"]
    assert parcel["track"]["state"] == "3"
    assert parcel["track"]["identityCheck"]["deliveryCode"] == "123456"


def test_calls_are_logged_without_secrets(sandbox: Sandbox) -> None:
    everything(sandbox)
    WeChat(sandbox).token()
    text = requests.get(f"{sandbox.url}/_sandbox/calls.json", timeout=5).text
    calls = json.loads(text)["calls"]
    assert {call["partner"] for call in calls} == {
        "wechat", "identity-authority", "aliyun-sms", "kuaidi100",
    }  # fmt: skip
    assert [call["path"] for call in sandbox.get("calls.json", partner="aliyun-sms")["calls"]] == ["/aliyun-sms/"]
    made = sandbox.credentials
    for secret in (
        made["wechat"]["app_secret"],
        made["aliyun-sms"]["access_key_secret"],
        made["identity-authority"]["secret"],
        made["kuaidi100"]["secret"],
        made["kuaidi100"]["key"],
        "salt-of-the-order",
        "salt-of-the-track",
    ):
        assert secret not in text


def test_the_outbox_narrows(sandbox: Sandbox) -> None:
    sms = AliyunSms(sandbox)
    sms.send("19900000001")
    sms.send("19900000002,19900000001")
    every = sandbox.get("outbox.json")["messages"]
    assert [message["phone"] for message in every] == ["19900000001", "19900000002", "19900000001"]
    assert len(sandbox.get("outbox.json", phone="19900000001")["messages"]) == 2
    assert [m["persona"] for m in sandbox.get("outbox.json", persona="li-na")["messages"]] == ["li-na"]
    assert len(sandbox.get("outbox.json", phone="19900000001", since=every[1]["id"])["messages"]) == 1
    assert requests.get(f"{sandbox.url}/_sandbox/outbox.json?since=x", timeout=5).status_code == 400


def test_reset_forgets_what_happened_but_not_the_console(sandbox: Sandbox) -> None:
    everything(sandbox)
    inject(sandbox, "wechat", "error")
    sandbox.post("aliyun-sms/configure", report_url="http://127.0.0.1:9/reports")
    sandbox.post("reset")
    assert sandbox.get("outbox.json")["messages"] == []
    assert sandbox.get("calls.json")["calls"] == []
    assert sandbox.get("callbacks.json")["callbacks"] == []
    assert sandbox.get("faults")["faults"] == []
    assert sandbox.get("alipay/trades.json")["trades"] == []
    assert sandbox.get("kuaidi100/parcels.json")["parcels"] == []
    assert sandbox.post("aliyun-sms/configure")["report_url"] == "http://127.0.0.1:9/reports"
    sandbox.post("reset", configuration=True)
    assert sandbox.post("aliyun-sms/configure")["report_url"] is None


def test_control_says_what_is_wrong(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/_sandbox"
    assert "known: zhang-wei" in requests.post(f"{url}/wechat/login-code", json={"persona": "x"}, timeout=5).text
    assert requests.post(f"{url}/wechat/login-code", json={}, timeout=5).status_code == 400
    assert requests.post(f"{url}/wechat/login-code", json=[], timeout=5).status_code == 400
    no_template = {"persona": "zhang-wei", "template": "x"}
    assert requests.post(f"{url}/wechat/consent", json=no_template, timeout=5).status_code == 400
