"""A notice that Alipay's own Node SDK accepts as signed is accepted by the product, over HTTP, and recorded once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from core.db import transaction
from core.money import Fen, yuan_text
from interop.alipay_node import post_notice
from tests.factories import payments
from tests.sandbox_client import Sandbox


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/callbacks/alipay/notify"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_notice_signed_by_the_node_sdk_pays_the_bill_once(
    url: str, sandbox: Sandbox, citizen: Callable[..., Any]
) -> None:
    payer, _headers = citizen(level=2)
    with transaction() as session:
        bill = payments.issue(session, payer.subject_id)
    order = payments.start(payer, bill)
    fields = {"out_trade_no": order.order_no, "total_amount": yuan_text(Fen(order.amount_fen))}
    assert post_notice(sandbox.state / "sandbox.json", url, **{**fields, "total_amount": "0.01"}) == (400, "failure")
    assert payments.bill_state(bill) == "ISSUED"
    for _ in range(2):
        assert post_notice(sandbox.state / "sandbox.json", url, **fields) == (200, "success")
    assert payments.bill_state(bill) == "PAID"
    assert payments.scalar("SELECT count(*) FROM pay_order WHERE state = 'SUCCEEDED'") == 1
