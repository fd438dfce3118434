"""The control endpoints that concern every partner, and the page a person reads."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.alipay.control import list_trades
from sandbox.kuaidi100.control import all_parcels
from sandbox.world import BadControl, beijing, control_body, need, world

blueprint = Blueprint("control", __name__, url_prefix="/_sandbox")
page = Blueprint("page", __name__, url_prefix="/_sandbox")

_SHOWN = 200
_LISTED = 1000
_CALLBACK_COLUMNS = ("id", "partner", "kind", "reference", "url", "content_type", "state", "attempts")


@blueprint.get("/personas.json")
def personas() -> ResponseReturnValue:
    """Everybody the sandbox knows."""
    return {"personas": [dataclasses.asdict(person) for person in world().people.all]}


@blueprint.get("/outbox.json")
def outbox() -> ResponseReturnValue:
    """Short messages and WeChat messages, newest first; `phone`, `openid`, `persona` and `since` (id) narrow them."""
    try:
        since = int(request.args.get("since") or 0)
    except ValueError:
        raise BadControl("since must be the id of a message") from None
    return {"messages": _messages(since, {key: request.args.get(key) for key in ("phone", "openid", "persona")})}


def _messages(since: int, wanted: dict[str, str | None], limit: int = _LISTED) -> list[dict[str, Any]]:
    given = {column: value for column, value in wanted.items() if value is not None}
    narrow = "".join(f" AND {column} = ?" for column in given)
    query = f"SELECT * FROM message WHERE id > ?{narrow} ORDER BY id DESC LIMIT {limit}"  # noqa: S608  # our columns
    return [_message(row) for row in world().store.all(query, since, *given.values())]


def _message(row: sqlite3.Row) -> dict[str, Any]:
    fields = json.loads(row["fields"])
    return {
        "id": row["id"],
        "at": beijing(row["at"]),
        "channel": row["channel"],
        "phone": row["phone"],
        "openid": row["openid"],
        "persona": row["persona"],
        "template": row["template"],
        "fields": fields,
        "text": row["text"],
        "code": fields.get("code"),
        "reference": row["reference"],
        "out_id": row["out_id"],
    }


@blueprint.get("/calls.json")
def calls() -> ResponseReturnValue:
    """The calls that arrived, newest first, without secrets; `partner` narrows them."""
    partner = request.args.get("partner")
    rows = world().store.all(
        "SELECT * FROM call WHERE ?1 IS NULL OR partner = ?1 ORDER BY id DESC LIMIT ?2", partner, _LISTED
    )
    return {
        "calls": [
            {"id": row["id"], "at": beijing(row["at"]), "partner": row["partner"], "method": row["method"],
             "path": row["path"], "operation": row["operation"], "fields": json.loads(row["fields"]),
             "status": row["status"], "fault": row["fault"]}
            for row in rows
        ]
    }  # fmt: skip


@blueprint.get("/callbacks.json")
def callbacks() -> ResponseReturnValue:
    """The calls to the product, newest first, with their bodies; `partner` and `reference` narrow them."""
    rows = world().store.all(
        "SELECT * FROM callback WHERE (?1 IS NULL OR partner = ?1) AND (?2 IS NULL OR reference = ?2)"
        " ORDER BY id DESC LIMIT ?3",
        request.args.get("partner"),
        request.args.get("reference"),
        _LISTED,
    )
    return {"callbacks": [_callback(row) for row in rows]}


def _callback(row: sqlite3.Row) -> dict[str, Any]:
    return {
        **{key: row[key] for key in _CALLBACK_COLUMNS},
        "body": row["body"].decode(),
        "status": row["last_status"],
        "answer": row["last_answer"],
        "due_at": beijing(row["due_at"]),
    }


@blueprint.get("/faults")
def list_faults() -> ResponseReturnValue:
    """The faults that wait to strike."""
    return {"faults": world().faults.waiting()}


@blueprint.post("/faults")
def add_fault() -> ResponseReturnValue:
    """Inject a fault: partner, kind, and optionally path (part of the path or operation), times, value."""
    body = control_body()
    fault = world().faults.add(
        str(need(body, "partner")),
        str(need(body, "kind")),
        path=str(body.get("path") or ""),
        times=int(body.get("times", 1)),
        value=body.get("value"),
    )
    return {"id": fault}


@blueprint.delete("/faults")
def clear_faults() -> ResponseReturnValue:
    """Withdraw all faults."""
    world().faults.clear()
    return {}


@blueprint.post("/reset")
def reset() -> ResponseReturnValue:
    """Forget all that happened; with `configuration` true, what the consoles hold too. Keys stay."""
    world().store.reset(configuration=control_body().get("configuration") is True)
    return {}


@blueprint.after_app_request
def _back_to_page(answer: Response) -> Response:
    """A form of the human page ends on the page, not on JSON."""
    if request.path.startswith("/_sandbox/") and request.form and answer.status_code == 200:
        return redirect(url_for("page.show"), 303)  # type: ignore[return-value]  # a Response of Flask all the same
    return answer


@page.get("/")
def show() -> ResponseReturnValue:
    """Show personas, messages, trades, parcels, callbacks, calls and faults to a person."""
    trades = list_trades()
    return render_template(
        "page.html",
        people=world().people.all,
        messages=_messages(0, {}, _SHOWN),
        trades=trades["trades"][:_SHOWN] if isinstance(trades, dict) else [],
        parcels=all_parcels()[:_SHOWN],
        callbacks=[_callback(row) for row in world().store.all("SELECT * FROM callback ORDER BY id DESC LIMIT 50")],
        calls=world().store.all("SELECT * FROM call ORDER BY id DESC LIMIT 50"),
        faults=world().faults.waiting(),
    )
