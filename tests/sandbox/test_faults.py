"""Injected faults: each kind strikes as often as asked, where asked, with or without effect."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Listener, wait_until
from tests.sandbox.partners import Alipay, AliyunSms, IdentityAuthority, Kuaidi100, WeChat, inject
from tests.sandbox.test_identity_authority import about
from tests.sandbox_client import Sandbox

ACKNOWLEDGED = (200, '{"result":true,"returnCode":"200","message":"成功"}'.encode())


def test_latency_is_late_and_right(sandbox: Sandbox) -> None:
    inject(sandbox, "wechat", "latency", value=0.4)
    wechat = WeChat(sandbox)
    before = time.monotonic()
    assert "access_token" in wechat.token()
    assert time.monotonic() - before >= 0.4
    before = time.monotonic()
    wechat.token()
    assert time.monotonic() - before < 0.4


def test_timeout_has_no_answer_and_no_effect(sandbox: Sandbox) -> None:
    inject(sandbox, "aliyun-sms", "timeout", value=0.2)
    with pytest.raises(requests.ConnectionError):
        AliyunSms(sandbox).send("19900000001")
    assert sandbox.get("outbox.json")["messages"] == []
    assert AliyunSms(sandbox).send("19900000001").json()["Code"] == "OK"


def test_drop_after_effect_has_no_answer_but_its_effect(sandbox: Sandbox) -> None:
    inject(sandbox, "aliyun-sms", "drop_response_after_effect")
    with pytest.raises(requests.ConnectionError):
        AliyunSms(sandbox).send("19900000001")
    assert len(sandbox.get("outbox.json")["messages"]) == 1
    assert sandbox.get("calls.json")["calls"][0]["fault"] == "drop_response_after_effect"


def test_garbage_is_neither_json_nor_text(sandbox: Sandbox) -> None:
    inject(sandbox, "kuaidi100", "garbage")
    with pytest.raises(requests.JSONDecodeError):
        Kuaidi100(sandbox).order("S1")
    assert sandbox.get("kuaidi100/parcels.json")["parcels"] == []


def test_errors_of_http_strike_as_often_as_asked(sandbox: Sandbox) -> None:
    inject(sandbox, "identity-authority", "error", times=2, value=429)
    authority = IdentityAuthority(sandbox)
    assert [authority.post(about("zhang-wei")).status_code for _ in range(3)] == [429, 429, 200]
    inject(sandbox, "identity-authority", "error")
    assert authority.post(about("zhang-wei")).status_code == 503


def test_errors_in_each_partners_own_words(sandbox: Sandbox) -> None:
    inject(sandbox, "wechat", "error", value=-1)
    assert WeChat(sandbox).token()["errcode"] == -1
    inject(sandbox, "alipay", "error", times=1, value="ACQ.SYSTEM_ERROR")
    assert Alipay(sandbox).call("alipay.trade.query", out_trade_no="T1")["sub_code"] == "ACQ.SYSTEM_ERROR"
    inject(sandbox, "alipay", "error", value="isp.unknow-error")
    assert Alipay(sandbox).call("alipay.trade.query", out_trade_no="T1")["code"] == "20000"
    inject(sandbox, "alipay", "error", value="isv.invalid-token")
    answer = json.loads(Alipay(sandbox).raw("alipay.trade.query", {}))
    assert answer["error_response"]["sub_code"] == "isv.invalid-token"
    inject(sandbox, "aliyun-sms", "error", value="isv.OUT_OF_SERVICE")
    assert AliyunSms(sandbox).send("19900000001").json()["Code"] == "isv.OUT_OF_SERVICE"
    inject(sandbox, "kuaidi100", "error", value="500")
    assert Kuaidi100(sandbox).order("S1")["returnCode"] == "500"
    inject(sandbox, "identity-authority", "error", value="REVIEW")
    assert IdentityAuthority(sandbox).post(about("zhang-wei")).json()["result"] == "REVIEW"


def test_a_path_or_method_narrows_a_fault(sandbox: Sandbox) -> None:
    alipay = Alipay(sandbox)
    alipay.paid("T1")
    inject(sandbox, "alipay", "error", path="trade.refund", value="ACQ.SYSTEM_ERROR")
    inject(sandbox, "kuaidi100", "error", path="query.do", value="500")
    assert alipay.call("alipay.trade.query", out_trade_no="T1")["code"] == "10000"
    assert Kuaidi100(sandbox).order("S1")["returnCode"] == "200"
    refund = {"out_trade_no": "T1", "refund_amount": "1.00", "out_request_no": "R1"}
    assert alipay.call("alipay.trade.refund", **refund)["sub_code"] == "ACQ.SYSTEM_ERROR"
    assert alipay.call("alipay.trade.refund", **refund)["fund_change"] == "Y"
    waiting = sandbox.get("faults")["faults"]
    assert [(fault["partner"], fault["path"], fault["times"]) for fault in waiting] == [("kuaidi100", "query.do", 1)]
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=5).raise_for_status()
    assert sandbox.get("faults")["faults"] == []


def test_duplicated_callbacks(sandbox: Sandbox, listener: Listener) -> None:
    inject(sandbox, "alipay", "duplicate_callback", value=2)
    Alipay(sandbox).paid("T1", notify_url=listener.url)
    assert len({notice.body for notice in listener.wait_for(3)}) == 1


def test_late_callbacks(sandbox: Sandbox, listener: Listener) -> None:
    inject(sandbox, "alipay", "late_callback", value=0.8)
    before = time.monotonic()
    Alipay(sandbox).paid("T1", notify_url=listener.url)
    assert listener.wait_for(1)[0].at - before >= 0.8


def test_a_forged_callback_comes_before_the_true_one(sandbox: Sandbox, listener: Listener) -> None:
    alipay = Alipay(sandbox)
    inject(sandbox, "alipay", "forged_callback")
    alipay.paid("T1", notify_url=listener.url)
    forged, true = (notice.form for notice in listener.wait_for(2))
    assert not alipay.notice_is_genuine(forged)
    assert alipay.notice_is_genuine(true)
    assert {**forged, "sign": ""} == {**true, "sign": ""}


def test_reordered_callbacks(sandbox: Sandbox, listener: Listener) -> None:
    listener.answers = [ACKNOWLEDGED]
    couriers = Kuaidi100(sandbox)
    waybill = couriers.order("S1")["data"]["kuaidinum"]
    couriers.subscribe(waybill, listener.url)
    inject(sandbox, "kuaidi100", "reorder", path="track")
    for state in ("picked_up", "signed"):
        sandbox.post("kuaidi100/advance", waybill=waybill, state=state)
    first, second = (json.loads(push.form["param"])["lastResult"]["state"] for push in listener.wait_for(2))
    assert (first, second) == ("3", "1")


def test_a_reordered_callback_that_nothing_overtakes_comes_in_the_end(sandbox: Sandbox, listener: Listener) -> None:
    inject(sandbox, "alipay", "reorder", value=0.5)
    Alipay(sandbox).paid("T1", notify_url=listener.url)
    listener.wait_for(1)
    wait_until(lambda: sandbox.get("callbacks.json")["callbacks"][0]["state"] == "delivered")


@pytest.mark.parametrize(
    "body",
    [{}, {"partner": "bank", "kind": "error"}, {"partner": "wechat", "kind": "magic"},
     {"partner": "wechat", "kind": "wrong_signature"}, {"partner": "wechat", "kind": "duplicate_callback"},
     {"partner": "aliyun-sms", "kind": "forged_callback"}, {"partner": "alipay", "kind": "error", "times": 0}],
)  # fmt: skip
def test_faults_that_make_no_sense_are_refused(sandbox: Sandbox, body: dict[str, Any]) -> None:
    assert requests.post(f"{sandbox.url}/_sandbox/faults", json=body, timeout=5).status_code == 400
    assert sandbox.get("faults")["faults"] == []
