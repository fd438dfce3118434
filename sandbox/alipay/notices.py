"""Alipay's asynchronous notices: what they say, how they are signed, and when they are sent again."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time

from sandbox.alipay import trades
from sandbox.alipay.signing import notice_content, sign, signed_form
from sandbox.callbacks import FORM
from sandbox.personas import Persona
from sandbox.world import World, beijing

# Seconds between the eight sends of one notice (4 min, 10 min, 10 min, 1 h, 2 h, 6 h, 15 h).
RETRY_SECONDS = (240, 600, 600, 3600, 7200, 21600, 54000)


def logon_id(person: Persona) -> str:
    """The buyer's account name as Alipay shows it: the phone, masked."""
    return f"{person.phone[:3]}****{person.phone[-4:]}"


def trade_fields(world: World, trade: sqlite3.Row, *, at: float | None = None) -> dict[str, str]:
    """The fields of the notice about a trade, unsigned; `at` sets when it was paid and sent (default: truly)."""
    alipay = world.credentials.product["alipay"]
    now = time.time()
    total = trades.yuan(trade["total_fen"])
    fields = {
        "gmt_create": beijing(trade["made_at"] if at is None else at),
        "charset": "utf-8",
        "notify_type": "trade_status_sync",
        "notify_id": beijing(now)[:10].replace("-", "") + f"{secrets.randbelow(10**26):026d}",
        "notify_time": beijing(now if at is None else at),
        "app_id": alipay["app_id"],
        "auth_app_id": alipay["app_id"],
        "version": "1.0",
        "trade_no": trade["trade_no"],
        "out_trade_no": trade["out_trade_no"],
        "seller_id": alipay["seller_id"],
        "trade_status": trade["status"],
        "subject": trade["subject"],
        "total_amount": total,
        "receipt_amount": total,
        "buyer_pay_amount": total,
        "invoice_amount": total,
        "point_amount": "0.00",
        "fund_bill_list": json.dumps([{"amount": total, "fundChannel": "ALIPAYACCOUNT"}], separators=(",", ":")),
    }
    if trade["buyer"]:
        buyer = world.people.get(trade["buyer"])
        fields |= {"buyer_id": buyer.alipay_user_id, "buyer_logon_id": logon_id(buyer)}
    if trade["paid_at"] or at is not None:
        fields["gmt_payment"] = beijing(trade["paid_at"] if at is None else at)
    if trade["passback_params"]:
        fields["passback_params"] = trade["passback_params"]
    return fields


def send_paid(world: World, trade: sqlite3.Row) -> None:
    """Queue the notice that a trade was paid, and keep its bytes for repeats."""
    fields = trade_fields(world, trade)
    body = signed_form(world.credentials.alipay_private_key, fields)
    with world.store.transaction() as db:
        db.execute("UPDATE trade SET paid_notify = ? WHERE out_trade_no = ?", (body, trade["out_trade_no"]))
        if trade["total_fen"] != trades.MAGIC_SILENT_FEN:
            _queue(world, trade, fields, body)


def settle_late(world: World) -> None:
    """Let delayed payments succeed whose time has come, and tell the product."""
    with world.store.transaction():
        for trade in trades.settle_due(world):
            send_paid(world, trade)


def send_refunded(world: World, trade: sqlite3.Row, refund: sqlite3.Row) -> None:
    """Queue the notice about a refund: the trade's own, with the refund's fields."""
    fields = trade_fields(world, trade)
    fields |= {
        "refund_fee": trades.yuan(trade["refunded_fen"]),
        "gmt_refund": beijing(refund["at"]) + ".000",
        "out_biz_no": refund["out_request_no"],
    }
    if trade["status"] == trades.CLOSED:
        fields["gmt_close"] = beijing(trade["closed_at"])
    _queue(world, trade, fields, signed_form(world.credentials.alipay_private_key, fields))


def _queue(world: World, trade: sqlite3.Row, fields: dict[str, str], body: bytes) -> None:
    if not trade["notify_url"]:
        return
    world.callbacks.enqueue(
        "alipay",
        "trade_status_sync",
        reference=trade["out_trade_no"],
        url=trade["notify_url"],
        body=body,
        content_type=FORM,
        retry_after=RETRY_SECONDS,
        forged=signed_form(world.credentials.alipay_private_key, fields, forged=True),
    )


def return_params(world: World, trade: sqlite3.Row) -> dict[str, str]:
    """The signed parameters with which the cashier sends the browser back. Never proof of payment."""
    alipay = world.credentials.product["alipay"]
    params = {
        "charset": "utf-8",
        "out_trade_no": trade["out_trade_no"],
        "method": f"{trade['method']}.return",
        "total_amount": trades.yuan(trade["total_fen"]),
        "trade_no": trade["trade_no"],
        "auth_app_id": alipay["app_id"],
        "version": "1.0",
        "app_id": alipay["app_id"],
        "seller_id": alipay["seller_id"],
        "timestamp": beijing(time.time()),
    }
    signature = sign(world.credentials.alipay_private_key, notice_content(params))
    return {**params, "sign_type": "RSA2", "sign": signature}
