"""The cashier page a person pays on, in Chinese and at phone width, without JavaScript."""

from __future__ import annotations

import sqlite3
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.alipay import notices, trades
from sandbox.world import world

blueprint = Blueprint("alipay_cashier", __name__, url_prefix="/alipay/cashier")


def pay(out_trade_no: str, payer: str) -> sqlite3.Row:
    """The persona with the key `payer` pays; a payment that succeeds at once is announced. Raises `BusinessError`."""
    with world().store.transaction():
        trade = trades.pay(world(), out_trade_no, world().people.get(payer))
        if trade["status"] == trades.SUCCESS:
            notices.send_paid(world(), trade)
        return trade


def _trade(token: str) -> sqlite3.Row:
    row = world().store.one("SELECT out_trade_no FROM trade WHERE cashier = ?", token)
    if row is None:
        abort(404)
    notices.settle_late(world())
    return trades.find(world(), {"out_trade_no": row["out_trade_no"]})


def _return_address(trade: sqlite3.Row) -> str:
    """return_url with the signed parameters added to its query ("" when the trade has none)."""
    if not trade["return_url"]:
        return ""
    parts = urlsplit(trade["return_url"])
    query = parse_qsl(parts.query, keep_blank_values=True) + list(notices.return_params(world(), trade).items())
    return str(urlunsplit(parts._replace(query=urlencode(query))))


def _page(trade: sqlite3.Row, *, problem: str = "", cancelled: bool = False) -> str:
    return render_template(
        "cashier.html",
        trade=trade,
        amount=trades.yuan(trade["total_fen"]),
        people=[person for person in world().people.all if trade["buyer"] in (None, person.key)],
        problem=problem,
        cancelled=cancelled,
        back=_return_address(trade),
    )


@blueprint.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    """Show the trade with the buttons to pay and to cancel."""
    return _page(_trade(token))


@blueprint.post("/<token>")
def act(token: str) -> ResponseReturnValue:
    """Pay or cancel, then send the browser back to the merchant."""
    trade = _trade(token)
    if request.form.get("act") == "cancel":
        return redirect(trade["quit_url"]) if trade["quit_url"] else _page(trade, cancelled=True)
    try:
        trade = pay(trade["out_trade_no"], request.form.get("persona", ""))
    except trades.BusinessError as error:
        return _page(_trade(token), problem=error.sub_msg)
    back = _return_address(trade)
    return redirect(back) if back and trade["status"] == trades.SUCCESS else _page(trade)
