"""Alipay's gateway: RSA2 checked, answers signed over the raw text, trades and refunds by the rules (3.1, 3.4)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox.alipay.signing import notice_content, request_content, verify
from tests.sandbox.conftest import wait_until
from tests.sandbox.partners import Alipay, beijing, inject
from tests.sandbox_client import Sandbox

VECTORS = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parent.parent / "data/vectors.json").read_text(encoding="utf-8"))[
        "vectors"
    ]
}


@pytest.fixture
def alipay(sandbox: Sandbox) -> Alipay:
    return Alipay(sandbox)


def public_key(base64_der: str) -> RSAPublicKey:
    key = load_pem_public_key(f"-----BEGIN PUBLIC KEY-----\n{base64_der}\n-----END PUBLIC KEY-----\n".encode())
    assert isinstance(key, RSAPublicKey)
    return key


def test_verifies_a_real_notice() -> None:
    given = VECTORS["alipay.notify.trade"]["input"]
    key, form = public_key(given["alipay_public_key_b64"]), dict(given["form"])
    form["fund_bill_list"] = json.dumps(form["fund_bill_list"], separators=(",", ":"))
    assert notice_content(form).decode() == given["sign_content"]
    assert verify(key, notice_content(form), form["sign"])
    assert not verify(key, notice_content({**form, "total_amount": "0.11"}), form["sign"])
    assert not verify(key, request_content(form), form["sign"])


def test_verifies_a_real_answer() -> None:
    vector = VECTORS["alipay.response.1"]
    key = public_key(vector["input"]["alipay_public_key_b64"])
    signature = json.loads(vector["input"]["raw_response"])["sign"]
    inner = vector["expected"]["signed_substring"]
    assert verify(key, inner.encode(), signature)
    assert not verify(key, inner.replace(",", ", ").encode(), signature)
    assert not verify(key, inner.encode(), "no base64")


@pytest.mark.parametrize(
    ("over", "sub_code"),
    [({"app_id": "2021000000000000"}, "isv.invalid-app-id"), ({"app_id": ""}, "isv.missing-app-id"),
     ({"sign_type": "RSA"}, "isv.invalid-signature-type"), ({"charset": "GBK"}, "isv.invalid-charset"),
     ({"timestamp": "2026/11/24"}, "isv.invalid-timestamp"), ({"timestamp": beijing(-1000)}, "isv.invalid-timestamp"),
     ({"version": "2.0"}, "isv.invalid-format"), ({"biz_content": "{"}, "isv.invalid-parameter"),
     ({"biz_content": "[]"}, "isv.invalid-parameter"), ({"method": "alipay.trade.magic"}, "isv.invalid-method")],
)  # fmt: skip
def test_misuse_is_answered_unsigned(alipay: Alipay, over: dict[str, str], sub_code: str) -> None:
    over = {"method": "alipay.trade.query", **over}
    answer = json.loads(alipay.raw(over.pop("method"), {"out_trade_no": "T1"}, **over))
    assert answer.keys() == {"error_response"}
    assert answer["error_response"]["sub_code"] == sub_code


def test_a_changed_or_unsigned_request_is_refused(alipay: Alipay) -> None:
    params = alipay.params("alipay.trade.query", {"out_trade_no": "T1"})
    for changed in ({"biz_content": '{"out_trade_no": "T2"}'}, {"sign": "AAAA"}, {"notify_url": "http://127.0.0.1:9/"}):
        answer = requests.post(alipay.gateway, {**params, **changed}, timeout=5).json()
        assert answer["error_response"]["sub_code"] == "isv.invalid-signature"
    params.pop("sign")
    answer = requests.post(alipay.gateway, params, timeout=5).json()
    assert answer["error_response"]["sub_code"] == "isv.missing-signature"


def test_get_works_like_post(alipay: Alipay) -> None:
    params = alipay.params("alipay.trade.query", {"out_trade_no": "T1"})
    answer = requests.get(alipay.gateway, params, timeout=5).json()
    assert answer["alipay_trade_query_response"]["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_an_app_order_exists_only_once_it_is_opened_and_then_is_paid(alipay: Alipay) -> None:
    assert alipay.call("alipay.trade.query", out_trade_no="T1")["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    answer = alipay.paid("T1", "80.00")
    assert answer["resultStatus"] == "9000"
    result = json.loads(answer["result"])
    inner = answer["result"][len('{"alipay_trade_app_pay_response":') : answer["result"].index(',"sign":"')]
    assert alipay.verifies(inner, result["sign"])
    found = alipay.call("alipay.trade.query", out_trade_no="T1")
    assert (found["code"], found["trade_status"], found["total_amount"]) == ("10000", "TRADE_SUCCESS", "80.00")
    assert found["trade_no"] == result["alipay_trade_app_pay_response"]["trade_no"]
    assert alipay.call("alipay.trade.query", trade_no=found["trade_no"])["out_trade_no"] == "T1"


def test_a_changed_order_string_is_not_paid(alipay: Alipay) -> None:
    order = alipay.order_string({"out_trade_no": "T1", "total_amount": "80.00", "subject": "费"})
    answer = alipay.sandbox.post("alipay/pay", order_string=order.replace("80.00", "00.01"), persona="zhang-wei")
    assert (answer["resultStatus"], answer["sub_code"]) == ("4000", "isv.invalid-signature")
    assert alipay.call("alipay.trade.query", out_trade_no="T1")["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_a_trade_is_paid_once(alipay: Alipay) -> None:
    alipay.paid("T1")
    again = alipay.paid("T1")
    assert (again["resultStatus"], again["sub_code"]) == ("4000", "ACQ.TRADE_HAS_SUCCESS")


def test_create_makes_a_trade_for_one_buyer(alipay: Alipay) -> None:
    buyer = "2088009900000001"
    fields = {"out_trade_no": "T1", "total_amount": "12.30", "subject": "工本费", "buyer_id": buyer}
    made = alipay.call("alipay.trade.create", **fields)
    assert alipay.call("alipay.trade.create", **fields)["trade_no"] == made["trade_no"]
    inconsistent = alipay.call("alipay.trade.create", **{**fields, "total_amount": "12.31"})
    assert inconsistent["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    assert alipay.call("alipay.trade.query", out_trade_no="T1")["trade_status"] == "WAIT_BUYER_PAY"
    wrong = alipay.sandbox.post("alipay/pay", out_trade_no="T1", persona="li-na")
    assert wrong["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    assert alipay.sandbox.post("alipay/pay", out_trade_no="T1", persona="zhang-wei")["resultStatus"] == "9000"


@pytest.mark.parametrize(
    ("over", "sub_code"),
    [({"total_amount": "0.00"}, "ACQ.INVALID_PARAMETER"), ({"total_amount": "1.234"}, "ACQ.INVALID_PARAMETER"),
     ({"total_amount": 80}, "ACQ.INVALID_PARAMETER"), ({"total_amount": "-1"}, "ACQ.INVALID_PARAMETER"),
     ({"subject": ""}, "ACQ.INVALID_PARAMETER"), ({"out_trade_no": "有汉字"}, "ACQ.INVALID_PARAMETER"),
     ({"timeout_express": "soon"}, "ACQ.INVALID_PARAMETER"), ({"time_expire": "soon"}, "ACQ.INVALID_PARAMETER"),
     ({"buyer_id": "2088000000000000"}, "ACQ.BUYER_NOT_EXIST")],
)  # fmt: skip
def test_create_refusals(alipay: Alipay, over: dict[str, object], sub_code: str) -> None:
    fields = {"out_trade_no": "T1", "total_amount": "80.00", "subject": "费", "buyer_id": "2088009900000001", **over}
    assert alipay.call("alipay.trade.create", **fields)["sub_code"] == sub_code


def test_unpaid_trades_close_on_request_and_in_time(alipay: Alipay) -> None:
    fields = {"total_amount": "80.00", "subject": "费", "buyer_id": "2088009900000001"}
    alipay.call("alipay.trade.create", out_trade_no="T1", **fields)
    assert alipay.call("alipay.trade.close", out_trade_no="T1")["code"] == "10000"
    assert alipay.call("alipay.trade.close", out_trade_no="T1")["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    assert alipay.call("alipay.trade.close", out_trade_no="T0")["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    late = alipay.sandbox.post("alipay/pay", out_trade_no="T1", persona="zhang-wei")
    assert late["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    alipay.call("alipay.trade.create", out_trade_no="T2", time_expire=beijing(1), **fields)
    wait_until(lambda: alipay.call("alipay.trade.query", out_trade_no="T2")["trade_status"] == "TRADE_CLOSED")
    alipay.paid("T3")
    assert alipay.call("alipay.trade.close", out_trade_no="T3")["sub_code"] == "ACQ.TRADE_STATUS_ERROR"


def test_personas_decide_how_a_payment_ends(alipay: Alipay) -> None:
    assert alipay.paid("T1", persona="poor")["sub_code"] == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    assert alipay.call("alipay.trade.query", out_trade_no="T1")["trade_status"] == "WAIT_BUYER_PAY"
    assert alipay.paid("T2", persona="closes")["resultStatus"] == "4000"
    assert alipay.call("alipay.trade.query", out_trade_no="T2")["trade_status"] == "TRADE_CLOSED"
    assert alipay.paid("T3", persona="slow")["resultStatus"] == "8000"
    assert alipay.call("alipay.trade.query", out_trade_no="T3")["trade_status"] == "WAIT_BUYER_PAY"
    assert alipay.call("alipay.trade.close", out_trade_no="T3")["sub_code"] == "ACQ.TRADE_STATUS_ERROR"


def test_magic_amounts(alipay: Alipay) -> None:
    assert alipay.paid("T1", "9999.01")["sub_code"] == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    assert alipay.paid("T2", "9999.02")["resultStatus"] == "8000"
    assert alipay.paid("T3", "9999.03")["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    alipay.paid("T4", "9999.04")
    assert alipay.call("alipay.trade.query", out_trade_no="T4")["sub_code"] == "ACQ.SYSTEM_ERROR"
    alipay.paid("T5", "9999.05")
    refused = alipay.call("alipay.trade.refund", out_trade_no="T5", refund_amount="1.00", out_request_no="R1")
    assert refused["sub_code"] == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    assert alipay.paid("T6", "9999.06", notify_url="http://127.0.0.1:9/x")["resultStatus"] == "9000"
    assert alipay.sandbox.get("callbacks.json")["callbacks"] == []


def test_refunds_move_money_once_per_request_number(alipay: Alipay) -> None:
    alipay.paid("T1", "80.00")

    def refund(amount: str, number: str) -> dict[str, object]:
        return alipay.call("alipay.trade.refund", out_trade_no="T1", refund_amount=amount, out_request_no=number)

    first = refund("30.00", "R1")
    assert (first["fund_change"], first["refund_fee"], first["send_back_fee"]) == ("Y", "30.00", "30.00")
    again = refund("30.00", "R1")
    assert (again["fund_change"], again["refund_fee"]) == ("N", "30.00")
    assert refund("31.00", "R1")["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert refund("50.01", "R2")["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    assert alipay.call("alipay.trade.refund", out_trade_no="T1", refund_amount="1.00")["code"] == "40004"
    rest = refund("50.00", "R2")
    assert (rest["fund_change"], rest["refund_fee"], rest["send_back_fee"]) == ("Y", "80.00", "50.00")
    assert alipay.call("alipay.trade.query", out_trade_no="T1")["trade_status"] == "TRADE_CLOSED"
    assert refund("0.01", "R3")["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    assert refund("30.00", "R1")["fund_change"] == "N"


def test_an_unpaid_trade_is_not_refunded(alipay: Alipay) -> None:
    alipay.paid("T1", persona="poor")
    answer = alipay.call("alipay.trade.refund", out_trade_no="T1", refund_amount="80.00", out_request_no="R1")
    assert answer["sub_code"] == "ACQ.TRADE_STATUS_ERROR"


def test_refund_query_says_nothing_of_a_refund_that_was_not_made(alipay: Alipay) -> None:
    alipay.paid("T1")
    query = {"out_trade_no": "T1", "out_request_no": "R1"}
    absent = alipay.call("alipay.trade.fastpay.refund.query", **query)
    assert absent["code"] == "10000" and "refund_status" not in absent
    alipay.call("alipay.trade.refund", refund_amount="5.00", **query)
    found = alipay.call("alipay.trade.fastpay.refund.query", **query)
    assert (found["refund_status"], found["refund_amount"], found["total_amount"]) == (
        "REFUND_SUCCESS", "5.00", "80.00",
    )  # fmt: skip


def test_a_wrong_signature_fault_has_its_effect_all_the_same(alipay: Alipay) -> None:
    alipay.paid("T1")
    inject(alipay.sandbox, "alipay", "wrong_signature", path="trade.refund")
    text = alipay.raw("alipay.trade.refund", {"out_trade_no": "T1", "refund_amount": "1.00", "out_request_no": "R1"})
    inner = text[len('{"alipay_trade_refund_response":') : text.rindex(',"sign":"')]
    assert not alipay.verifies(inner, json.loads(text)["sign"])
    assert alipay.sandbox.get("alipay/trades.json")["trades"][0]["refunded_amount"] == "1.00"
