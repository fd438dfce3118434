"""Control of Alipay: acts as the Alipay app of a persona, and sends notices good and bad."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.alipay import notices, trades
from sandbox.alipay.cashier import pay
from sandbox.alipay.gateway import Misuse, check
from sandbox.alipay.signing import sign, signed_form
from sandbox.callbacks import FORM, post
from sandbox.world import BadControl, World, beijing, control_body, need, world

blueprint = Blueprint("alipay_control", __name__, url_prefix="/_sandbox/alipay")

VARIANTS = ("repeat", "forged", "wrong_amount", "wrong_seller", "wrong_app", "stale", "unknown_order")
# Older than the last of Alipay's own tries.
STALE_SECONDS = 26 * 3600
MAX_NOTICES = 200
_AT_ONCE = 16

# The Alipay app's resultStatus.
_PAID, _PROCESSING, _FAILED = "9000", "8000", "4000"


@blueprint.post("/pay")
def pay_as() -> ResponseReturnValue:
    """Pay as a persona: an `order_string` of alipay.trade.app.pay, or a trade that waits by its `out_trade_no`."""
    body = control_body()
    person = world().people.get(need(body, "persona"))
    try:
        order_string = body.get("order_string")
        out_trade_no = _open(str(order_string)) if order_string else str(need(body, "out_trade_no"))
        trade = pay(out_trade_no, person.key)
    except Misuse as misuse:
        return {"resultStatus": _FAILED, "memo": misuse.sub_msg, "sub_code": misuse.sub_code, "result": ""}
    except trades.BusinessError as error:
        return {"resultStatus": _FAILED, "memo": error.sub_msg, "sub_code": error.sub_code, "result": ""}
    if trade["status"] == trades.CLOSED:
        return {"resultStatus": _FAILED, "memo": "交易已关闭", "sub_code": "ACQ.TRADE_HAS_CLOSE", "result": ""}
    status = _PAID if trade["status"] == trades.SUCCESS else _PROCESSING
    return {"resultStatus": status, "memo": "处理成功" if status == _PAID else "正在处理中", "result": _result(trade)}


def _open(order_string: str) -> str:
    """Check an order string as the Alipay app does and open its trade: the out_trade_no. Raises `Misuse`."""
    params = dict(parse_qsl(order_string, keep_blank_values=True))
    content = check(params, now=time.time())
    if params["method"] != "alipay.trade.app.pay":
        raise Misuse("40002", "isv.invalid-method", "不存在的方法名")
    trade = trades.open_trade(world(), params["method"], params, content)
    return str(trade["out_trade_no"])


def _result(trade: sqlite3.Row) -> str:
    """The signed `result` text that the Alipay app hands to the calling app."""
    alipay = world().credentials.product["alipay"]
    inner = json.dumps(
        {
            "code": "10000",
            "msg": "Success",
            "app_id": alipay["app_id"],
            "out_trade_no": trade["out_trade_no"],
            "trade_no": trade["trade_no"],
            "total_amount": trades.yuan(trade["total_fen"]),
            "seller_id": alipay["seller_id"],
            "charset": "utf-8",
            "timestamp": beijing(time.time()),
        },
        separators=(",", ":"),
    )
    signature = sign(world().credentials.alipay_private_key, inner.encode())
    return f'{{"alipay_trade_app_pay_response":{inner},"sign":"{signature}","sign_type":"RSA2"}}'


@blueprint.post("/notify")
def notify() -> ResponseReturnValue:
    """Make `count` notices about a trade in one of the variants and send them all at once.

    `url` overrides the trade's notify_url; with `send` false nothing goes out and only the bodies come back.
    """
    body = control_body()
    variant = body.get("variant", "repeat")
    if variant not in VARIANTS:
        raise BadControl(f"variant must be one of {', '.join(VARIANTS)}")
    count = int(body.get("count", 1))
    if not 1 <= count <= MAX_NOTICES:
        raise BadControl(f"count must be 1 to {MAX_NOTICES}")
    out_trade_no = str(need(body, "out_trade_no"))
    trade = world().store.one("SELECT * FROM trade WHERE out_trade_no = ?", out_trade_no)
    if trade is None:
        raise BadControl(f"no trade {out_trade_no}")
    url = body.get("url") or trade["notify_url"]
    made = [_variant(world(), trade, variant) for _ in range(count)]
    if body.get("send", True) is False:
        return {"sent": [{"url": url, "content_type": FORM, "body": form.decode()} for form in made]}
    if not url:
        raise BadControl("the trade has no notify_url; give a url")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda form: post(url, form, FORM), made))
    return {
        "sent": [
            {"url": url, "content_type": FORM, "body": form.decode(), "status": status,
             "answer": answer[:200].decode("utf-8", "replace")}
            for form, (status, answer) in zip(made, answers, strict=True)
        ]
    }  # fmt: skip


def _variant(world: World, trade: sqlite3.Row, variant: str) -> bytes:
    """The body of one notice; all but `repeat` claim that the trade was paid, whether it was or not."""
    if variant == "repeat":
        if trade["paid_notify"] is None:
            raise BadControl("the trade was never paid, so there is no notice to repeat")
        return bytes(trade["paid_notify"])
    key, now = world.credentials.alipay_private_key, time.time()
    fields = notices.trade_fields(world, trade, at=now - STALE_SECONDS if variant == "stale" else now)
    fields |= _claim(world, trade) | _WRONG[variant](fields)
    return signed_form(key, fields, forged=variant == "forged")


def _claim(world: World, trade: sqlite3.Row) -> dict[str, Any]:
    buyer = world.people.get(trade["buyer"] or "zhang-wei")
    return {"trade_status": trades.SUCCESS, "buyer_id": buyer.alipay_user_id, "buyer_logon_id": notices.logon_id(buyer)}


def _wrong_amount(fields: dict[str, str]) -> dict[str, str]:
    wrong = trades.yuan(trades.fen(fields["total_amount"]) + 1)
    return dict.fromkeys(("total_amount", "receipt_amount", "buyer_pay_amount", "invoice_amount"), wrong)


def _other(number: str) -> str:
    """An id of the same length in which every digit after the first four is another."""
    return number[:4] + number[4:].translate(str.maketrans("0123456789", "1234567890"))


_WRONG: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "forged": lambda _: {},
    "stale": lambda _: {},
    "wrong_amount": _wrong_amount,
    "wrong_seller": lambda fields: {"seller_id": _other(fields["seller_id"])},
    "wrong_app": lambda fields: dict.fromkeys(("app_id", "auth_app_id"), _other(fields["app_id"])),
    "unknown_order": lambda _: {"out_trade_no": f"UNKNOWN{secrets.token_hex(8)}"},
}


@blueprint.get("/trades.json")
def list_trades() -> ResponseReturnValue:
    """Every trade with its state and refunds."""
    return {
        "trades": [
            {
                "out_trade_no": row["out_trade_no"],
                "trade_no": row["trade_no"],
                "method": row["method"],
                "subject": row["subject"],
                "total_amount": trades.yuan(row["total_fen"]),
                "refunded_amount": trades.yuan(row["refunded_fen"]),
                "status": row["status"],
                "buyer": row["buyer"],
                "cashier": f"/alipay/cashier/{row['cashier']}",
                "refunds": [
                    {"out_request_no": refund["out_request_no"], "amount": trades.yuan(refund["fen"])}
                    for refund in world().store.all("SELECT * FROM refund WHERE out_trade_no = ?", row["out_trade_no"])
                ],
            }
            for row in world().store.all("SELECT * FROM trade ORDER BY made_at DESC")
        ]
    }
