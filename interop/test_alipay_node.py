# tests assert
"""The sandbox's Alipay against Alipay's official SDK for Node: each verifies what the other signed.

Needs node and `npm ci` in this folder; `make interop` does both.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from interop.alipay_node import call_sdk, post_notice
from tests.sandbox.conftest import Listener, Running, listener, start
from tests.sandbox_client import Sandbox, free_port

__all__ = ["listener"]

ORDER = {"total_amount": "80.00", "subject": "不动产登记费 100% & +"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """A sandbox and its state folder."""
    state = tmp_path_factory.mktemp("sandbox")
    started = start(state, free_port())
    yield started, state
    started.stop()


@pytest.fixture
def sandbox(running: tuple[Running, Path]) -> Sandbox:
    """The sandbox, clean."""
    running[0].sandbox.post("reset")
    return running[0].sandbox


def sdk(sandbox: Sandbox, act: str, **given: Any) -> dict[str, Any]:
    """Let the SDK act against the sandbox's gateway."""
    return call_sdk(sandbox.credentials["alipay"], f"{sandbox.url}/alipay/gateway.do", act, **given)


def pay_by_app(sandbox: Sandbox, number: str, **common: str) -> dict[str, Any]:
    """An order string made by the SDK, paid in the sandbox's Alipay app."""
    content = {"out_trade_no": number, "product_code": "QUICK_MSECURITY_PAY", **ORDER}
    order = sdk(sandbox, "app", content=content, common=common)["order_string"]
    found: dict[str, Any] = sandbox.post("alipay/pay", order_string=order, persona="zhang-wei")
    return found


def test_the_sdk_accepts_answers_good_and_bad(sandbox: Sandbox) -> None:
    """Successes and business errors are signed so that the SDK accepts them."""
    absent = sdk(sandbox, "exec", method="alipay.trade.query", content={"out_trade_no": "N1"})
    assert absent["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert pay_by_app(sandbox, "N1")["resultStatus"] == "9000"
    found = sdk(sandbox, "exec", method="alipay.trade.query", content={"out_trade_no": "N1"})
    assert (found["code"], found["trade_status"], found["total_amount"]) == ("10000", "TRADE_SUCCESS", "80.00")
    refund = {"out_trade_no": "N1", "refund_amount": "30.00", "out_request_no": "R1"}
    assert sdk(sandbox, "exec", method="alipay.trade.refund", content=refund)["fund_change"] == "Y"
    query = {"out_trade_no": "N1", "out_request_no": "R1"}
    asked = sdk(sandbox, "exec", method="alipay.trade.fastpay.refund.query", content=query)
    assert (asked["refund_status"], asked["refund_amount"]) == ("REFUND_SUCCESS", "30.00")


def test_the_sdk_makes_and_closes_a_trade(sandbox: Sandbox) -> None:
    """The sandbox accepts the SDK's own signatures."""
    content = {"out_trade_no": "N1", "buyer_id": "2088009900000001", **ORDER}
    made = sdk(sandbox, "exec", method="alipay.trade.create", content=content)
    closed = sdk(sandbox, "exec", method="alipay.trade.close", content={"trade_no": made["trade_no"]})
    assert (closed["code"], closed["out_trade_no"]) == ("10000", "N1")


def test_the_sdk_refuses_a_wrong_signature(sandbox: Sandbox) -> None:
    """The SDK really verifies: the fault is seen."""
    sandbox.fault("alipay", "wrong_signature")
    refused = sdk(sandbox, "exec", method="alipay.trade.query", content={"out_trade_no": "N1"})
    assert "验签失败" in refused["error"]


def test_the_sdks_page_address_opens_the_cashier(sandbox: Sandbox) -> None:
    """A page made by the SDK is paid, and the SDK accepts the parameters the browser comes back with."""
    content = {"out_trade_no": "N1", "product_code": "QUICK_WAP_WAY", **ORDER}
    address = sdk(sandbox, "page", method="alipay.trade.wap.pay", content=content,
                  common={"return_url": "http://127.0.0.1:9/back"})["url"]  # fmt: skip
    page = requests.get(address, timeout=5)
    assert "确认付款" in page.text
    back = requests.post(page.url, {"act": "pay", "persona": "zhang-wei"}, allow_redirects=False, timeout=5)
    form = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
    assert sdk(sandbox, "verify", form=form)["genuine"] is True
    assert sdk(sandbox, "verify", form={**form, "total_amount": "0.01"})["genuine"] is False


@pytest.mark.parametrize(("variant", "genuine"), [("repeat", True), ("wrong_amount", True), ("forged", False)])
def test_the_sdk_judges_notices(sandbox: Sandbox, variant: str, genuine: bool) -> None:
    """What the sandbox calls genuine or forged, the SDK calls the same."""
    pay_by_app(sandbox, "N1", notify_url="http://127.0.0.1:9/notify")
    (made,) = sandbox.post("alipay/notify", out_trade_no="N1", variant=variant, send=False)["sent"]
    assert sdk(sandbox, "verify", form=dict(parse_qsl(made["body"])))["genuine"] is genuine


def test_post_notice_posts_what_the_sdk_accepts(running: tuple[Running, Path], listener: Listener) -> None:
    """The notice made in Node arrives as a form, unchanged."""
    state = running[1]
    fields = {"out_trade_no": "N1", "total_amount": "80.00", "passback_params": "a=1&b=%2B"}
    assert post_notice(state / "sandbox.json", listener.url, **fields) == (200, "success")
    (notice,) = listener.wait_for(1)
    assert notice.content_type.startswith("application/x-www-form-urlencoded")
    assert {key: notice.form[key] for key in fields} == fields
    assert sdk(running[0].sandbox, "verify", form=notice.form)["genuine"] is True
