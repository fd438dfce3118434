"""The gateway: checks a request's parameters and RSA2 signature, then dispatches by method.

What is wrong with the request itself comes back unsigned as `error_response`; what the business refuses comes back
signed, with code 40004 and a sub_code.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.alipay import notices, oauth, trades
from sandbox.alipay.signing import request_content, signed_answer, verify
from sandbox.world import beijing, from_beijing, world

blueprint = Blueprint("alipay", __name__, url_prefix="/alipay")

WINDOW_SECONDS = 900
PAGE_METHODS = ("alipay.trade.wap.pay", "alipay.trade.page.pay")
PRODUCT_CODES = {
    "alipay.trade.wap.pay": ("QUICK_WAP_WAY",),
    "alipay.trade.page.pay": ("FAST_INSTANT_TRADE_PAY",),
    "alipay.trade.app.pay": ("QUICK_MSECURITY_PAY", ""),
    "alipay.trade.create": ("JSAPI_PAY", "FACE_TO_FACE_PAYMENT", ""),
}


class Misuse(Exception):
    """A request that is refused before dispatch."""

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        super().__init__(sub_code)
        self.code = code
        self.sub_code = sub_code
        self.sub_msg = sub_msg


_MSG = {
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Authorization Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
}


def _text(body: bytes) -> Response:
    return Response(body, mimetype="text/html")


@blueprint.errorhandler(Misuse)
def _refuse(misuse: Misuse) -> Response:
    if request.values.get("method") in PAGE_METHODS:
        text = render_template("cashier_error.html", code=misuse.sub_code, message=misuse.sub_msg)
        return Response(text, 400)
    fields = {"code": misuse.code, "msg": _MSG[misuse.code], "sub_code": misuse.sub_code, "sub_msg": misuse.sub_msg}
    return _text(json.dumps({"error_response": fields}, ensure_ascii=False).encode())


def _answer(method: str, code: str, **fields: Any) -> Response:
    return _signed(method, {"code": code, **fields})


def _signed(method: str, fields: Mapping[str, Any]) -> Response:
    name = f"{method.replace('.', '_')}_response"
    key = world().credentials.alipay_private_key
    return _text(signed_answer(key, name, fields, wrong=bool(g.get("wrong_signature"))))


def _refused(method: str, error: trades.BusinessError) -> Response:
    return _answer(method, "40004", msg="Business Failed", sub_code=error.sub_code, sub_msg=error.sub_msg)


def _bad_code(error: oauth.BadCode) -> Response:
    """What is wrong with a code or a token comes unsigned as well."""
    return _refuse(Misuse(error.code, error.sub_code, error.sub_msg))


def business_error(value: object) -> Response:
    """The failure with the sub_code `value`: isp. and aop. are code 20000 (outcome unknown), isv. unsigned, ACQ. 40004."""
    sub_code, method = str(value), request.values.get("method", "")
    if sub_code.startswith("isv."):
        return _refuse(Misuse("40002", sub_code, sub_code))
    if sub_code.startswith(("isp.", "aop.")):
        return _answer(method, "20000", msg=_MSG["20000"], sub_code=sub_code, sub_msg="系统繁忙")
    return _refused(method, trades.BusinessError(sub_code))


def check(params: Mapping[str, str], *, now: float) -> dict[str, Any]:
    """Check common parameters and signature of a request or an order string: its biz_content. Raises `Misuse`."""
    alipay = world().credentials.product["alipay"]
    for key in ("app_id", "method", "sign_type", "sign", "timestamp", "version"):
        if not params.get(key):
            name = {"app_id": "app-id", "sign": "signature", "sign_type": "signature-type"}.get(key, key)
            raise Misuse("40001", f"isv.missing-{name}", f"缺少{key}参数")
    if params["app_id"] != alipay["app_id"]:
        raise Misuse("40002", "isv.invalid-app-id", "无效的AppID参数")
    if params["sign_type"] != "RSA2":
        raise Misuse("40002", "isv.invalid-signature-type", "无效的签名类型")
    if params.get("charset", "utf-8").lower() != "utf-8":
        raise Misuse("40002", "isv.invalid-charset", "字符集错误")
    if params["version"] != "1.0" or params.get("format", "JSON").lower() != "json":
        raise Misuse("40002", "isv.invalid-format", "无效的数据格式或版本")
    try:
        skew = abs(from_beijing(params["timestamp"]) - now)
    except ValueError:
        raise Misuse("40002", "isv.invalid-timestamp", "非法的时间戳参数") from None
    if skew > WINDOW_SECONDS:
        raise Misuse("40002", "isv.invalid-timestamp", "时间戳超出允许范围")
    if not verify(world().credentials.alipay_app_public_key, request_content(params), params["sign"]):
        raise Misuse("40002", "isv.invalid-signature", "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配")
    try:
        content = json.loads(params.get("biz_content") or "{}")
    except ValueError:
        raise Misuse("40002", "isv.invalid-parameter", "biz_content不是合法的JSON") from None
    if not isinstance(content, dict):
        raise Misuse("40002", "isv.invalid-parameter", "biz_content不是JSON对象")
    codes = PRODUCT_CODES.get(params["method"])
    if codes and content.get("product_code", "") not in codes:
        raise Misuse("40002", "isv.invalid-parameter", "product_code无效")
    return content


@blueprint.route("/gateway.do", methods=["GET", "POST"])
def gateway() -> ResponseReturnValue:
    """One call of the open platform."""
    params = {**request.args.to_dict(), **request.form.to_dict()}
    content = check(params, now=time.time())
    method = params["method"]
    try:
        if method in PAGE_METHODS:
            trade = trades.open_trade(world(), method, params, content)
            return redirect(url_for("alipay_cashier.show", token=trade["cashier"]))
        if method == oauth.TOKEN_METHOD:
            # The one method whose success has no code.
            return _signed(method, oauth.token(params))
        if method not in _METHODS:
            raise Misuse("40002", "isv.invalid-method", "不存在的方法名")
        return _answer(method, "10000", msg="Success", **_METHODS[method](params, content))
    except oauth.BadCode as error:
        return _bad_code(error)
    except trades.BusinessError as error:
        if method in PAGE_METHODS:
            return render_template("cashier_error.html", code=error.sub_code, message=error.sub_msg), 400
        return _refused(method, error)


def _create(params: Mapping[str, str], content: Mapping[str, Any]) -> dict[str, Any]:
    buyer = world().people.by_alipay_user(str(content.get("buyer_id") or content.get("buyer_open_id")))
    if buyer is None:
        raise trades.BusinessError("ACQ.BUYER_NOT_EXIST")
    trade = trades.open_trade(world(), params["method"], params, content, buyer)
    return {"out_trade_no": trade["out_trade_no"], "trade_no": trade["trade_no"]}


def _buyer_fields(trade: sqlite3.Row) -> dict[str, Any]:
    if not trade["buyer"]:
        return {}
    buyer = world().people.get(trade["buyer"])
    return {"buyer_logon_id": notices.logon_id(buyer), "buyer_user_id": buyer.alipay_user_id}


def _query(_params: Mapping[str, str], content: Mapping[str, Any]) -> dict[str, Any]:
    notices.settle_late(world())
    trade = trades.find(world(), content)
    if trade["total_fen"] == trades.MAGIC_UNKNOWN_FEN:
        raise trades.BusinessError("ACQ.SYSTEM_ERROR")
    total = trades.yuan(trade["total_fen"])
    fields = {
        **_buyer_fields(trade),
        "out_trade_no": trade["out_trade_no"],
        "trade_no": trade["trade_no"],
        "trade_status": trade["status"],
        "total_amount": total,
        "point_amount": "0.00",
    }
    if trade["paid_at"]:
        fields |= {
            "send_pay_date": beijing(trade["paid_at"]),
            "receipt_amount": total,
            "buyer_pay_amount": total,
            "invoice_amount": total,
            "fund_bill_list": [{"amount": total, "fund_channel": "ALIPAYACCOUNT"}],
        }
    return fields


def _close(_params: Mapping[str, str], content: Mapping[str, Any]) -> dict[str, Any]:
    notices.settle_late(world())
    trade = trades.close(world(), content)
    return {"out_trade_no": trade["out_trade_no"], "trade_no": trade["trade_no"]}


def _refund(_params: Mapping[str, str], content: Mapping[str, Any]) -> dict[str, Any]:
    with world().store.transaction():
        trade, refund, moved = trades.refund(world(), content)
        if moved:
            notices.send_refunded(world(), trade, refund)
    return {
        **_buyer_fields(trade),
        "out_trade_no": trade["out_trade_no"],
        "trade_no": trade["trade_no"],
        "fund_change": "Y" if moved else "N",
        # Alipay's refund_fee is all that was refunded of the trade; send_back_fee is this refund.
        "refund_fee": trades.yuan(trade["refunded_fen"]),
        "send_back_fee": trades.yuan(refund["fen"]),
        "gmt_refund_pay": beijing(refund["at"]),
    }


def _refund_query(_params: Mapping[str, str], content: Mapping[str, Any]) -> dict[str, Any]:
    trade = trades.find(world(), content)
    request_no = str(content.get("out_request_no") or "")
    if not request_no:
        raise trades.BusinessError("ACQ.INVALID_PARAMETER")
    fields = {"out_trade_no": trade["out_trade_no"], "trade_no": trade["trade_no"], "out_request_no": request_no}
    refund = trades.find_refund(world(), trade["out_trade_no"], request_no)
    if refund is None:
        return fields
    return {
        **fields,
        "total_amount": trades.yuan(trade["total_fen"]),
        "refund_amount": trades.yuan(refund["fen"]),
        "refund_reason": refund["reason"],
        "refund_status": "REFUND_SUCCESS",
        "gmt_refund_pay": beijing(refund["at"]),
    }


_METHODS: dict[str, Callable[[Mapping[str, str], Mapping[str, Any]], dict[str, Any]]] = {
    "alipay.trade.create": _create,
    "alipay.user.certdoc.certverify.preconsult": oauth.preconsult,
    "alipay.user.certdoc.certverify.consult": oauth.consult,
    "alipay.trade.query": _query,
    "alipay.trade.close": _close,
    "alipay.trade.refund": _refund,
    "alipay.trade.fastpay.refund.query": _refund_query,
}
