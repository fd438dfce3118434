"""Alipay's cashier page, return address and notices (3.4, 3.5)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.sandbox.conftest import Listener, wait_until
from tests.sandbox.partners import Alipay, beijing
from tests.sandbox_client import Sandbox


@pytest.fixture
def alipay(sandbox: Sandbox) -> Alipay:
    return Alipay(sandbox)


def cashier(alipay: Alipay, out_trade_no: str = "W1", **content: str) -> requests.Response:
    """Open the cashier as the phone's browser does."""
    order = {"out_trade_no": out_trade_no, "total_amount": "80.00", "subject": "登记费 <b>50%</b> & 更多", **content}
    params = alipay.params(
        "alipay.trade.wap.pay", {"product_code": "QUICK_WAP_WAY", **order},
        return_url="http://127.0.0.1:9/back?x=1&y=", notify_url="http://127.0.0.1:9/notify",
    )  # fmt: skip
    return requests.get(alipay.gateway, params, timeout=5)


def press(page: requests.Response, button: str, persona: str = "zhang-wei") -> requests.Response:
    return requests.post(page.url, {"act": button, "persona": persona}, allow_redirects=False, timeout=5)


def test_the_cashier_is_a_page_for_a_person(alipay: Alipay) -> None:
    page = cashier(alipay)
    assert page.status_code == 200
    assert "确认付款" in page.text and "取消" in page.text and "¥80.00" in page.text
    assert '<html lang="zh-CN">' in page.text and "width=device-width" in page.text
    assert "<b>50%" not in page.text and "<script" not in page.text
    assert cashier(alipay).url == page.url
    assert alipay.call("alipay.trade.query", out_trade_no="W1")["trade_status"] == "WAIT_BUYER_PAY"


def test_paying_sends_the_browser_back_with_signed_parameters(alipay: Alipay) -> None:
    back = press(cashier(alipay), "pay")
    assert back.status_code == 302
    address = urlsplit(back.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == "http://127.0.0.1:9/back"
    query = dict(parse_qsl(address.query, keep_blank_values=True))
    assert (query.pop("x"), query.pop("y")) == ("1", "")
    assert query["method"] == "alipay.trade.wap.pay.return"
    assert alipay.notice_is_genuine(query)
    assert not alipay.notice_is_genuine({**query, "total_amount": "0.01"})
    assert alipay.call("alipay.trade.query", out_trade_no="W1")["trade_status"] == "TRADE_SUCCESS"


def test_pressing_twice_pays_once(alipay: Alipay) -> None:
    page = cashier(alipay)
    press(page, "pay")
    assert "交易已被支付" in press(page, "pay").text
    assert len(alipay.sandbox.get("callbacks.json")["callbacks"]) == 1


def test_cancelling_pays_nothing(alipay: Alipay) -> None:
    page = cashier(alipay)
    assert "已取消" in press(page, "cancel").text
    quitting = cashier(alipay, "W2", quit_url="http://127.0.0.1:9/quit")
    assert press(quitting, "cancel").headers["Location"] == "http://127.0.0.1:9/quit"
    for number in ("W1", "W2"):
        assert alipay.call("alipay.trade.query", out_trade_no=number)["trade_status"] == "WAIT_BUYER_PAY"


def test_what_goes_wrong_is_said_on_the_page(alipay: Alipay) -> None:
    assert "买家余额不足" in press(cashier(alipay), "pay", "poor").text
    assert "处理中" in press(cashier(alipay, "W2"), "pay", "slow").text
    assert "交易已关闭" in press(cashier(alipay, "W3"), "pay", "closes").text
    refused = cashier(alipay, "W4", product_code="QUICK_WAP_PAY")
    assert refused.status_code == 400 and "isv.invalid-parameter" in refused.text
    conflict = cashier(alipay, "W1", total_amount="81.00")
    assert conflict.status_code == 400 and "ACQ.CONTEXT_INCONSISTENT" in conflict.text
    assert requests.get(f"{alipay.sandbox.url}/alipay/cashier/none", timeout=5).status_code == 404


def test_the_notice_is_the_documented_one(alipay: Alipay, listener: Listener) -> None:
    alipay.paid("T1", "80.00", notify_url=f"{listener.url}/callbacks/alipay/notify")
    (notice,) = listener.wait_for(1)
    assert notice.path == "/callbacks/alipay/notify"
    assert notice.content_type.startswith("application/x-www-form-urlencoded")
    form = notice.form
    assert alipay.notice_is_genuine(form)
    assert (form["out_trade_no"], form["total_amount"], form["trade_status"]) == ("T1", "80.00", "TRADE_SUCCESS")
    assert (form["app_id"], form["seller_id"]) == (alipay.ours["app_id"], alipay.ours["seller_id"])
    assert (form["notify_type"], form["charset"], form["sign_type"]) == ("trade_status_sync", "utf-8", "RSA2")
    assert re.fullmatch(r"\d{34}", form["notify_id"])
    wait_until(lambda: alipay.sandbox.get("callbacks.json")["callbacks"][0]["state"] == "delivered")


@pytest.mark.parametrize("answer", [(200, b"failure"), (500, b"success"), (302, b"success"), (200, b"success\n")])
def test_a_notice_comes_again_until_success(alipay: Alipay, listener: Listener, answer: tuple[int, bytes]) -> None:
    listener.answers = [answer, answer, (200, b"success")]
    alipay.paid("T1", notify_url=listener.url)
    sent = listener.wait_for(3)
    assert len({notice.body for notice in sent}) == 1
    wait_until(lambda: alipay.sandbox.get("callbacks.json")["callbacks"][0]["state"] == "delivered")
    assert alipay.sandbox.get("callbacks.json")["callbacks"][0]["attempts"] == 3


def test_a_late_payment_is_announced_when_it_succeeds(alipay: Alipay, listener: Listener) -> None:
    alipay.paid("T1", persona="slow", notify_url=listener.url)
    assert listener.received == []
    assert listener.wait_for(1, 12)[0].form["trade_status"] == "TRADE_SUCCESS"
    assert alipay.call("alipay.trade.query", out_trade_no="T1")["trade_status"] == "TRADE_SUCCESS"


def test_refunds_are_announced_as_trade_notices(alipay: Alipay, listener: Listener) -> None:
    alipay.paid("T1", "80.00", notify_url=listener.url)
    for number, amount in (("R1", "30.00"), ("R2", "50.00")):
        alipay.call("alipay.trade.refund", out_trade_no="T1", refund_amount=amount, out_request_no=number)
    paid, part, whole = (notice.form for notice in listener.wait_for(3))
    assert "refund_fee" not in paid
    assert (part["trade_status"], part["refund_fee"], part["out_biz_no"]) == ("TRADE_SUCCESS", "30.00", "R1")
    assert (whole["trade_status"], whole["refund_fee"], whole["out_biz_no"]) == ("TRADE_CLOSED", "80.00", "R2")
    assert whole["gmt_refund"] and whole["gmt_close"]
    assert len({paid["notify_id"], part["notify_id"], whole["notify_id"]}) == 3
    assert all(alipay.notice_is_genuine(form) for form in (paid, part, whole))


@pytest.mark.parametrize(
    ("variant", "genuine", "field"),
    [("forged", False, None), ("wrong_amount", True, "total_amount"), ("wrong_seller", True, "seller_id"),
     ("wrong_app", True, "app_id"), ("stale", True, "notify_time"), ("unknown_order", True, "out_trade_no")],
)  # fmt: skip
def test_every_variant_is_wrong_in_one_way(alipay: Alipay, variant: str, genuine: bool, field: str | None) -> None:
    alipay.paid("T1", "80.00", notify_url="http://127.0.0.1:9/x")
    (good,) = alipay.sandbox.post("alipay/notify", out_trade_no="T1", variant="repeat", send=False)["sent"]
    (made,) = alipay.sandbox.post("alipay/notify", out_trade_no="T1", variant=variant, send=False)["sent"]
    right, wrong = dict(parse_qsl(good["body"])), dict(parse_qsl(made["body"]))
    assert alipay.notice_is_genuine(right)
    assert alipay.notice_is_genuine(wrong) is genuine
    compared = ("out_trade_no", "total_amount", "seller_id", "app_id", "trade_status", "trade_no")
    different = [name for name in compared if right[name] != wrong[name]]
    assert different == ([field] if field in compared else [])
    assert (wrong["notify_time"] < beijing(-25 * 3600)) is (variant == "stale")
    assert wrong["notify_id"] != right["notify_id"]


def test_fifty_repeats_are_sent_at_once_and_are_the_same_bytes(alipay: Alipay, listener: Listener) -> None:
    alipay.paid("T1", notify_url=listener.url)
    listener.wait_for(1)
    sent = alipay.sandbox.post("alipay/notify", out_trade_no="T1", variant="repeat", count=50)["sent"]
    assert [(one["status"], one["answer"]) for one in sent] == [(200, "success")] * 50
    assert len(listener.received) == 51
    assert len({notice.body for notice in listener.received}) == 1


def test_an_unpaid_trade_has_no_notice_to_repeat(alipay: Alipay) -> None:
    alipay.paid("T1", persona="poor")
    url = f"{alipay.sandbox.url}/_sandbox/alipay/notify"
    for body in ({"out_trade_no": "T1"}, {"out_trade_no": "T0"}, {"out_trade_no": "T1", "variant": "x"}, {}):
        assert requests.post(url, json=body, timeout=5).status_code == 400
    claim = alipay.sandbox.post("alipay/notify", out_trade_no="T1", variant="forged", send=False)["sent"][0]
    assert dict(parse_qsl(claim["body"]))["trade_status"] == "TRADE_SUCCESS"
