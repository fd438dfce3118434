"""快递100's interface: subscribe, query, order and cancel, each with its own way to prove who calls."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from sandbox.kuaidi100 import parcels
from sandbox.kuaidi100.parcels import NAME, md5
from sandbox.world import world

blueprint = Blueprint("kuaidi100", __name__, url_prefix="/kuaidi100")

COMPANIES = (
    "shunfeng", "ems", "youzhengguonei", "yuantong", "zhongtong", "shentong", "yunda", "jd", "jtexpress",
    "debangkuaidi",
)  # fmt: skip
# A third-party order number names the same order for this long; after that it makes a new one.
SAME_ORDER_SECONDS = 48 * 3600
RESUBSCRIBE_AFTER_SECONDS = 1800
WINDOW_SECONDS = 600
# An address that contains this is refused as outside the served area.
UNSERVED = "不派送区域"

_NEEDED = ("recManName", "recManMobile", "recManPrintAddr", "sendManName", "sendManMobile", "sendManPrintAddr")
_CANCELLABLE = (0, 1, 2)


class Refusal(Exception):
    """A returnCode to answer with."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def _answer(result: bool, code: str, message: str, **more: Any) -> Response:
    fields = {"result": result, "returnCode": code, "message": message, **more}
    return Response(json.dumps(fields, ensure_ascii=False), mimetype="application/json")


@blueprint.errorhandler(Refusal)
def _refuse(refusal: Refusal) -> Response:
    return _answer(False, refusal.code, refusal.message)


def business_error(value: object) -> Response:
    """A failure with the returnCode `value`."""
    return _answer(False, str(value), "服务器错误")


def _param() -> dict[str, Any]:
    try:
        param = json.loads(request.form.get("param", ""))
    except ValueError:
        raise Refusal("400", "param不是合法的JSON") from None
    if not isinstance(param, dict):
        raise Refusal("400", "param不是JSON对象")
    return param


def _check_sign(expected: str) -> None:
    if not hmac.compare_digest(request.form.get("sign", "").encode(), expected.encode()):
        raise Refusal("503", "验证签名失败")


def _is_address(url: object) -> bool:
    parts = urlsplit(str(url or ""))
    return parts.scheme in ("http", "https") and bool(parts.hostname)


@blueprint.post("/poll")
def subscribe() -> ResponseReturnValue:
    """Subscribe to a parcel. Unsigned: the key is inside param."""
    if request.form.get("schema") != "json":
        raise Refusal("700", "schema只能是json")
    param = _param()
    if param.get("key") != world().credentials.product[NAME]["key"]:
        raise Refusal("600", "您不是合法的订阅者（即授权Key出错）")
    company, waybill = str(param.get("company") or ""), str(param.get("number") or "")
    asked = param.get("parameters")
    parameters = asked if isinstance(asked, dict) else {}
    if company not in COMPANIES:
        raise Refusal("702", "快递公司无法识别")
    if not re.fullmatch(r"[A-Za-z0-9-]{6,32}", waybill) or not _is_address(parameters.get("callbackurl")):
        raise Refusal("700", "单号或回调地址错误")
    now = time.time()
    again_after = RESUBSCRIBE_AFTER_SECONDS / world().callbacks.hurry
    with world().store.transaction() as db:
        old = db.execute("SELECT * FROM subscription WHERE company = ? AND waybill = ?", (company, waybill)).fetchone()
        if old is not None and (old["status"] == "polling" or now - old["ended_at"] < again_after):
            raise Refusal("501", "重复订阅")
        db.execute(
            "INSERT OR REPLACE INTO subscription VALUES (?, ?, ?, ?, 'polling', ?, NULL)",
            (company, waybill, parameters["callbackurl"], str(parameters.get("salt") or ""), now),
        )
        if parcels.track(world(), company, waybill) is not None:
            parcels.push_track(world(), waybill)
    return _answer(True, "200", "提交成功")


@blueprint.post("/poll/query.do")
def query() -> ResponseReturnValue:
    """Look a parcel up. Signed MD5(param + key + customer); 顺丰 wants the last digits of a phone."""
    ours = world().credentials.product[NAME]
    if request.form.get("customer") != ours["customer"]:
        raise Refusal("601", "账号不存在或KEY已过期")
    _check_sign(md5(request.form.get("param", "") + ours["key"] + ours["customer"]))
    param = _param()
    company, waybill = str(param.get("com") or ""), str(param.get("num") or "")
    if company not in COMPANIES or not waybill:
        raise Refusal("400", "找不到对应公司")
    order = world().store.one("SELECT param FROM courier_order WHERE waybill = ?", waybill)
    if company == "shunfeng" and order is not None:
        ordered = json.loads(order["param"])
        digits = str(param.get("phone") or "")[-4:]
        if digits not in (ordered["recManMobile"][-4:], ordered["sendManMobile"][-4:]):
            raise Refusal("408", "验证码错误")
    found = parcels.track(world(), company, waybill)
    if found is None:
        raise Refusal("500", "查询无结果，请隔段时间再查")
    return Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")


@blueprint.post("/order/borderapi.do")
def order() -> ResponseReturnValue:
    """Order or cancel a pick-up. Signed MD5(param + t + key + secret)."""
    ours, form = world().credentials.product[NAME], request.form
    if form.get("key") != ours["key"]:
        raise Refusal("600", "您不是合法的订阅者（即授权Key出错）")
    stamp = form.get("t", "")
    _check_sign(md5(form.get("param", "") + stamp + ours["key"] + ours["secret"]))
    if not re.fullmatch(r"\d{13}", stamp) or abs(time.time() - int(stamp) / 1000) > WINDOW_SECONDS:
        raise Refusal("400", "时间戳t超出允许范围")
    methods = {"bOrder": _order, "cancel": _cancel}
    if form.get("method") not in methods:
        raise Refusal("400", "method错误")
    return methods[form["method"]](_param())


def _order(param: dict[str, Any]) -> Response:
    company, third = str(param.get("kuaidicom") or ""), str(param.get("thirdOrderId") or "")
    if company not in COMPANIES:
        raise Refusal("400", "快递公司编码错误")
    if any(not isinstance(param.get(key), str) or not param[key] for key in _NEEDED) or len(third) > 32:
        raise Refusal("400", "缺少必填参数或参数过长")
    if param.get("callBackUrl") and not _is_address(param["callBackUrl"]):
        raise Refusal("700", "回调地址错误")
    if UNSERVED in param["recManPrintAddr"]:
        raise Refusal("500", "收件地址超出服务范围")
    now = time.time()
    with world().store.transaction() as db:
        row = db.execute(
            "SELECT * FROM courier_order WHERE third_order_id = ? AND third_order_id <> '' AND made_at > ?"
            " ORDER BY made_at DESC",
            (third, now - SAME_ORDER_SECONDS),
        ).fetchone()
        if row is None:
            order_id = str(secrets.randbelow(9 * 10**8) + 10**8)
            db.execute(
                "INSERT INTO courier_order VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
                (order_id, secrets.token_hex(16).upper(), third, company, _waybill(company),
                 json.dumps(param, ensure_ascii=False), param.get("callBackUrl") or "", param.get("salt") or "", now),
            )  # fmt: skip
            row = db.execute("SELECT * FROM courier_order WHERE order_id = ?", (order_id,)).fetchone()
            parcels.push_order(world(), row, 1, wait=parcels.ACCEPT_AFTER_SECONDS)
    data = {"taskId": row["task_id"], "orderId": row["order_id"], "kuaidinum": row["waybill"]}
    return _answer(True, "200", "提交成功", data=data)


def _waybill(company: str) -> str:
    digits = f"{secrets.randbelow(10**13):013d}"
    return {"shunfeng": "SF", "jd": "JD", "yuantong": "YT", "jtexpress": "JT"}.get(company, "9") + digits


def _cancel(param: dict[str, Any]) -> Response:
    with world().store.transaction() as db:
        row = db.execute(
            "SELECT * FROM courier_order WHERE order_id = ? AND task_id = ?",
            (str(param.get("orderId")), str(param.get("taskId"))),
        ).fetchone()
        if row is None:
            raise Refusal("400", "订单不存在")
        if row["status"] not in (*_CANCELLABLE, 9):
            raise Refusal("500", "订单已取件，不能取消")
        if row["status"] != 9:
            parcels.push_order(world(), row, 9)
    return _answer(True, "200", "取消成功")
