"""Parcels: the steps a courier can report, a parcel's track, and the pushes about it.

`identityCheck` inside `lastResult` is not 快递100's: it is the field that the carrier contract adds, since a result of
a government matter counts as delivered only after the recipient was checked at the door (README.md).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sandbox.callbacks import FORM
from sandbox.world import World, beijing

NAME = "kuaidi100"
# 快递100 tries three times more, about 35 minutes apart.
RETRY_SECONDS = (2100, 2100, 2100)
ACCEPT_AFTER_SECONDS = 0.5


@dataclass(frozen=True)
class Step:
    """One thing a courier reports: basic state, advanced code, the state's word, text and place."""

    state: str
    code: str
    status: str
    context: str
    place: str = "浙江,宁波市"


STEPS = {
    "picked_up": Step("1", "103", "揽收", "【宁波市】快递员已上门取件"),
    "in_transit": Step("0", "1002", "在途", "【宁波市】快件已发出，下一站宁波转运中心"),
    "arrived": Step("0", "1001", "在途", "【宁波市】快件到达派件城市"),
    "out_for_delivery": Step("5", "5", "派件", "【宁波市】快递员正在派件，请准备取件码和本人身份证"),
    "failed_attempt": Step("2", "206", "疑难", "【宁波市】无法联系收件人，将再次派送"),
    "identity_failed": Step("2", "204", "疑难", "【宁波市】收件人身份核验未通过，未交付"),
    "held": Step("2", "208", "疑难", "【宁波市】快件滞留在网点，等待收件人联系"),
    "damaged": Step("2", "209", "疑难", "【宁波市】快件外包装破损"),
    "out_of_area": Step("2", "207", "疑难", "【宁波市】收件地址超出派送范围"),
    "not_updated": Step("2", "202", "疑难", "【宁波市】快件超时未更新"),
    "locker": Step("5", "501", "派件", "【宁波市】快件已投递至智能柜"),
    "signed": Step("3", "301", "签收", "【宁波市】本人签收"),
    "signed_by_other": Step("3", "303", "签收", "【宁波市】他人代签收"),
    "signed_at_locker": Step("3", "304", "签收", "【宁波市】已从智能柜或驿站取件签收"),
    "refused": Step("14", "14", "拒签", "【宁波市】收件人拒收"),
    "returning": Step("6", "6", "退回", "【宁波市】快件正在退回寄件人"),
    "returned": Step("4", "4", "退签", "【宁波市】快件已退回并由寄件人签收"),
    "unknown": Step("99", "999", "其他", "【宁波市】快递公司新增的状态"),
}
SCRIPTS = {
    "deliver": ("picked_up", "in_transit", "arrived", "out_for_delivery", "signed"),
    "to_the_door": ("picked_up", "in_transit", "arrived", "out_for_delivery"),
    "locker": ("picked_up", "in_transit", "arrived", "out_for_delivery", "locker", "signed_at_locker"),
    "return": ("picked_up", "in_transit", "arrived", "out_for_delivery", "refused", "returning", "returned"),
}
# What a push says beside the track; these report no new event.
ABORT, UPDATE_ALL = "abort", "updateall"
_FINAL_STATES = ("3", "4")
# Order status by step: picked up, signed.
_ORDER_STATUS = {"picked_up": 10, "in_transit": 101, "signed": 13, "signed_by_other": 14, "signed_at_locker": 14}


def md5(text: str) -> str:
    """The upper-case hex MD5 that all of 快递100's signatures are."""
    return hashlib.md5(text.encode()).hexdigest().upper()


def track(world: World, company: str, waybill: str) -> dict[str, Any] | None:
    """The track as query and push show it, newest first; None when nothing is known."""
    rows = world.store.all("SELECT * FROM parcel_event WHERE waybill = ? ORDER BY at DESC, id DESC", waybill)
    if not rows:
        return None
    data = [
        {
            "time": beijing(row["at"]),
            "ftime": beijing(row["at"]),
            "context": row["context"],
            "areaCode": "CN330200000000",
            "areaName": row["place"],
            "status": row["state"],
            "statusCode": row["code"],
            "location": row["place"].split(",")[-1],
        }
        for row in rows
    ]
    state = next(step.state for step in STEPS.values() if step.code == rows[0]["code"])
    found: dict[str, Any] = {
        "message": "ok",
        "nu": waybill,
        "ischeck": "1" if state == "3" else "0",
        "com": company,
        "status": "200",
        "state": state,
        "condition": "F00",
        "data": data,
    }
    checks = [json.loads(row["identity_check"]) for row in rows if row["identity_check"]]
    return {**found, "identityCheck": checks[0]} if checks else found


def add_event(
    world: World, company: str, waybill: str, name: str, *, at: float | None, identity: dict[str, Any] | None
) -> None:
    """Report one step, now or at `at`; without `at` it is later than every step before."""
    step = STEPS[name]
    with world.store.transaction() as db:
        if at is None:
            row = db.execute("SELECT MAX(at) AS at FROM parcel_event WHERE waybill = ?", (waybill,)).fetchone()
            # Tracks have whole seconds.
            at = float(int(max(time.time(), (row["at"] or 0) + 1)))
        check = {**identity, "at": beijing(at)} if identity else None
        db.execute(
            "INSERT INTO parcel_event (company, waybill, at, state, code, context, place, identity_check)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (company, waybill, at, step.status, step.code, step.context, step.place,
             json.dumps(check) if check else None),
        )  # fmt: skip


def push_track(world: World, waybill: str, *, status: str | None = None) -> None:
    """Push the whole track to whoever subscribed; a signed or returned parcel ends the subscription.

    `status` abort ends it too; updateall is pushed even after its end.
    """
    with world.store.transaction() as db:
        for row in db.execute("SELECT * FROM subscription WHERE waybill = ?", (waybill,)).fetchall():
            if row["status"] != "polling" and status != UPDATE_ALL:
                continue
            found = track(world, row["company"], waybill)
            if status is None:
                status = "shutdown" if found and found["state"] in _FINAL_STATES else "polling"
            if status != UPDATE_ALL:
                db.execute(
                    "UPDATE subscription SET status = ?, ended_at = ? WHERE company = ? AND waybill = ?",
                    (status, None if status == "polling" else time.time(), row["company"], waybill),
                )
            param = {
                "status": status,
                "billstatus": "got",
                "message": "3天查询无记录" if status == ABORT else "",
                "autoCheck": "0",
                "comOld": "",
                "comNew": "",
                "lastResult": found or {"message": "", "nu": waybill, "ischeck": "0", "com": row["company"],
                                        "status": "201", "state": "0", "condition": "", "data": []},
            }  # fmt: skip
            _push(world, "track", waybill, row["callback_url"], row["salt"], param)


def push_order(world: World, order: sqlite3.Row, status: int, *, wait: float = 0.0) -> None:
    """Set an order's status and push it to the order's callback address."""
    with world.store.transaction() as db:
        db.execute("UPDATE courier_order SET status = ? WHERE order_id = ?", (status, order["order_id"]))
    cancelled = status in (9, 99)
    param = {
        "kuaidicom": order["company"],
        "kuaidinum": order["waybill"],
        "status": "200",
        "message": "成功",
        "data": {
            "orderId": order["order_id"],
            "status": status,
            "cancelMsg9": "用户取消" if cancelled else "",
            "cancelMsg99": "",
            "courierName": "" if cancelled else "模拟快递员",
            "courierMobile": "" if cancelled else "19900008001",
            "weight": "0.5",
            "freight": "12.00",
        },
    }
    extra = {"taskId": order["task_id"]}
    _push(world, "order", order["waybill"], order["callback_url"], order["salt"], param, extra=extra, wait=wait)


def order_step(world: World, waybill: str, name: str) -> None:
    """Push the order status that goes with a step, if the parcel was ordered here."""
    order = world.store.one("SELECT * FROM courier_order WHERE waybill = ?", waybill)
    if order is not None and name in _ORDER_STATUS:
        push_order(world, order, _ORDER_STATUS[name])


def _push(
    world: World, kind: str, waybill: str, url: str, salt: str, param: dict[str, Any], *,
    extra: dict[str, str] | None = None, wait: float = 0.0,
) -> None:  # fmt: skip
    if not url:
        return
    text = json.dumps(param, ensure_ascii=False, separators=(",", ":"))

    def form(sign: str) -> bytes:
        return urlencode({**(extra or {}), "sign": sign, "param": text}).encode()

    world.callbacks.enqueue(
        NAME,
        kind,
        reference=waybill,
        url=url,
        body=form(md5(text + salt)),
        content_type=FORM,
        retry_after=RETRY_SECONDS,
        forged=form(md5(text + salt + "forged")),
        wait=wait,
    )
