"""Trades, payments and refunds at Alipay, and the rules they follow. Amounts are integer fen inside."""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from sandbox.personas import Persona
from sandbox.world import World, beijing, from_beijing

WAITING, SUCCESS, CLOSED, FINISHED = "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED", "TRADE_FINISHED"
DEFAULT_LIFE_SECONDS = 15 * 86400.0
# How long the payment of a `delayed` persona takes.
DELAY_SECONDS = 5.0

# Amounts that decide the outcome whoever pays; README.md lists them.
MAGIC_INSUFFICIENT_FEN = 999901
MAGIC_DELAYED_FEN = 999902
MAGIC_CLOSED_FEN = 999903
MAGIC_UNKNOWN_FEN = 999904
MAGIC_NO_REFUND_FEN = 999905
MAGIC_SILENT_FEN = 999906
_PAYMENT_BY_AMOUNT = {MAGIC_INSUFFICIENT_FEN: "insufficient", MAGIC_DELAYED_FEN: "delayed", MAGIC_CLOSED_FEN: "closed"}

_MESSAGES = {
    "ACQ.TRADE_NOT_EXIST": "交易不存在",
    "ACQ.TRADE_HAS_SUCCESS": "交易已被支付",
    "ACQ.TRADE_HAS_CLOSE": "交易已经关闭",
    "ACQ.TRADE_STATUS_ERROR": "交易状态不合法",
    "ACQ.CONTEXT_INCONSISTENT": "交易信息被篡改",
    "ACQ.INVALID_PARAMETER": "参数无效",
    "ACQ.BUYER_NOT_EXIST": "买家不存在",
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": "买家余额不足",
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": "卖家余额不足",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": "退款金额超限",
    "ACQ.DISCORDANT_REPEAT_REQUEST": "不一致的请求",
    "ACQ.SYSTEM_ERROR": "系统错误",
}


class BusinessError(Exception):
    """A sub_code to answer with."""

    def __init__(self, sub_code: str) -> None:
        super().__init__(sub_code)
        self.sub_code = sub_code
        self.sub_msg = _MESSAGES.get(sub_code, sub_code)


def fen(amount: object) -> int:
    """Yuan with at most two decimals as fen. Raises `BusinessError`."""
    if not isinstance(amount, str) or not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", amount):
        raise BusinessError("ACQ.INVALID_PARAMETER")
    whole, _, part = amount.partition(".")
    value = int(whole) * 100 + int(part.ljust(2, "0") or 0)
    if value == 0:
        raise BusinessError("ACQ.INVALID_PARAMETER")
    return value


def yuan(value: int) -> str:
    """Fen as Alipay prints amounts: 1234 → 12.34."""
    return f"{value // 100}.{value % 100:02d}"


def _expiry(content: Mapping[str, Any], now: float) -> float:
    """When an unpaid trade closes, by `time_expire` or `timeout_express`. Raises `BusinessError`."""
    try:
        if content.get("time_expire"):
            return from_beijing(str(content["time_expire"]))
        if content.get("timeout_express"):
            match = re.fullmatch(r"(\d{1,5})([mhd])", str(content["timeout_express"]))
            if match is None:
                raise ValueError
            return now + int(match[1]) * {"m": 60, "h": 3600, "d": 86400}[match[2]]
    except ValueError:
        raise BusinessError("ACQ.INVALID_PARAMETER") from None
    return now + DEFAULT_LIFE_SECONDS


def _row(db: sqlite3.Connection, out_trade_no: str) -> sqlite3.Row:
    row: sqlite3.Row = db.execute("SELECT * FROM trade WHERE out_trade_no = ?", (out_trade_no,)).fetchone()
    return row


def find(world: World, content: Mapping[str, Any]) -> sqlite3.Row:
    """The trade named by out_trade_no or trade_no, closed first if its time is over. Raises `BusinessError`."""
    now = time.time()
    with world.store.transaction() as db:
        db.execute(
            "UPDATE trade SET status = ?, closed_at = expires_at"
            " WHERE status = ? AND expires_at <= ? AND settles_at IS NULL",
            (CLOSED, WAITING, now),
        )
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM trade WHERE trade_no = ?1 OR (?1 = '' AND out_trade_no = ?2)",
            (str(content.get("trade_no") or ""), str(content.get("out_trade_no") or "")),
        ).fetchone()
    if row is None:
        raise BusinessError("ACQ.TRADE_NOT_EXIST")
    return row


def open_trade(
    world: World, method: str, common: Mapping[str, str], content: Mapping[str, Any], buyer: Persona | None = None
) -> sqlite3.Row:
    """Make a trade, or return the one of the same out_trade_no and amount that still waits. Raises `BusinessError`."""
    out_trade_no, subject = str(content.get("out_trade_no") or ""), str(content.get("subject") or "")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", out_trade_no) or not 1 <= len(subject) <= 256:
        raise BusinessError("ACQ.INVALID_PARAMETER")
    total, now = fen(content.get("total_amount")), time.time()
    expires_at = _expiry(content, now)
    with world.store.transaction() as db:
        try:
            old = find(world, {"out_trade_no": out_trade_no})
        except BusinessError:
            pass
        else:
            if old["status"] != WAITING:
                raise BusinessError("ACQ.TRADE_HAS_CLOSE" if old["status"] == CLOSED else "ACQ.TRADE_HAS_SUCCESS")
            if old["total_fen"] != total or old["subject"] != subject:
                raise BusinessError("ACQ.CONTEXT_INCONSISTENT")
            return old
        trade_no = f"{beijing(now)[:10].replace('-', '')}22001{secrets.randbelow(10**15):015d}"
        db.execute(
            "INSERT INTO trade (out_trade_no, trade_no, method, subject, total_fen, status, buyer, notify_url,"
            " return_url, quit_url, passback_params, cashier, made_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (out_trade_no, trade_no, method, subject, total, WAITING, buyer.key if buyer else None,
             common.get("notify_url"), common.get("return_url"), content.get("quit_url"),
             content.get("passback_params"), secrets.token_urlsafe(16), now, expires_at),
        )  # fmt: skip
        return _row(db, out_trade_no)


def pay(world: World, out_trade_no: str, payer: Persona) -> sqlite3.Row:
    """The persona pays. The trade as it then is: paid, still waiting (`settles_at` set) or closed.

    Raises `BusinessError` (balance, already paid, closed).
    """
    now = time.time()
    with world.store.transaction() as db:
        trade = find(world, {"out_trade_no": out_trade_no})
        if trade["status"] != WAITING or trade["settles_at"] is not None:
            raise BusinessError("ACQ.TRADE_HAS_CLOSE" if trade["status"] == CLOSED else "ACQ.TRADE_HAS_SUCCESS")
        if trade["buyer"] not in (None, payer.key):
            raise BusinessError("ACQ.CONTEXT_INCONSISTENT")
        payment = _PAYMENT_BY_AMOUNT.get(trade["total_fen"], payer.payment)
        if payment == "insufficient":
            raise BusinessError("ACQ.BUYER_BALANCE_NOT_ENOUGH")
        if payment == "closed":
            db.execute(
                "UPDATE trade SET status = ?, closed_at = ?, buyer = ? WHERE out_trade_no = ?",
                (CLOSED, now, payer.key, out_trade_no),
            )
        elif payment == "delayed":
            db.execute(
                "UPDATE trade SET settles_at = ?, buyer = ? WHERE out_trade_no = ?",
                (now + DELAY_SECONDS, payer.key, out_trade_no),
            )
        else:
            db.execute(
                "UPDATE trade SET status = ?, paid_at = ?, buyer = ? WHERE out_trade_no = ?",
                (SUCCESS, now, payer.key, out_trade_no),
            )
        return _row(db, out_trade_no)


def settle_due(world: World) -> list[sqlite3.Row]:
    """Let delayed payments succeed whose time has come: the trades that did."""
    now = time.time()
    with world.store.transaction() as db:
        due = db.execute(
            "SELECT out_trade_no FROM trade WHERE status = ? AND settles_at <= ?", (WAITING, now)
        ).fetchall()
        for row in due:
            db.execute(
                "UPDATE trade SET status = ?, paid_at = settles_at WHERE out_trade_no = ?",
                (SUCCESS, row["out_trade_no"]),
            )
        return [_row(db, row["out_trade_no"]) for row in due]


def close(world: World, content: Mapping[str, Any]) -> sqlite3.Row:
    """Close an unpaid trade. Raises `BusinessError`, also while a delayed payment is under way."""
    with world.store.transaction() as db:
        trade = find(world, content)
        if trade["status"] != WAITING or trade["settles_at"] is not None:
            raise BusinessError("ACQ.TRADE_STATUS_ERROR")
        db.execute(
            "UPDATE trade SET status = ?, closed_at = ? WHERE out_trade_no = ?",
            (CLOSED, time.time(), trade["out_trade_no"]),
        )
        return _row(db, trade["out_trade_no"])


def refund(world: World, content: Mapping[str, Any]) -> tuple[sqlite3.Row, sqlite3.Row, bool]:
    """Refund once per out_request_no: trade, refund, and whether money moved now. Raises `BusinessError`."""
    amount = fen(content.get("refund_amount"))
    with world.store.transaction() as db:
        trade = find(world, content)
        key = trade["out_trade_no"]
        request_no = str(content.get("out_request_no") or "")
        if not request_no:
            if amount != trade["total_fen"]:
                raise BusinessError("ACQ.INVALID_PARAMETER")
            request_no = key
        old = find_refund(world, key, request_no)
        if old is not None:
            if old["fen"] != amount:
                raise BusinessError("ACQ.DISCORDANT_REPEAT_REQUEST")
            return trade, old, False
        if trade["status"] != SUCCESS:
            raise BusinessError("ACQ.TRADE_STATUS_ERROR")
        if trade["refunded_fen"] + amount > trade["total_fen"]:
            raise BusinessError("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
        if trade["total_fen"] == MAGIC_NO_REFUND_FEN:
            raise BusinessError("ACQ.SELLER_BALANCE_NOT_ENOUGH")
        now = time.time()
        reason = str(content.get("refund_reason") or "")
        db.execute("INSERT INTO refund VALUES (?, ?, ?, ?, ?)", (key, request_no, amount, reason, now))
        whole = trade["refunded_fen"] + amount == trade["total_fen"]
        db.execute(
            "UPDATE trade SET refunded_fen = refunded_fen + ?, status = ?, closed_at = ? WHERE out_trade_no = ?",
            (amount, CLOSED if whole else SUCCESS, now if whole else None, key),
        )
        made = find_refund(world, key, request_no)
        assert made is not None  # noqa: S101  # inserted above
        return _row(db, key), made, True


def find_refund(world: World, out_trade_no: str, out_request_no: str) -> sqlite3.Row | None:
    """The refund with this request number, if it was made."""
    return world.store.one(
        "SELECT * FROM refund WHERE out_trade_no = ? AND out_request_no = ?", out_trade_no, out_request_no
    )
