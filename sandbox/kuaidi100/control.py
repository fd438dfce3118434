"""Control of 快递100: moves parcels, as couriers would."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.kuaidi100 import parcels
from sandbox.world import BadControl, beijing, control_body, from_beijing, need, world

blueprint = Blueprint("kuaidi100_control", __name__, url_prefix="/_sandbox/kuaidi100")

_RESULTS = ("ok", "failed")


@blueprint.post("/advance")
def advance() -> ResponseReturnValue:
    """Move a parcel by one `state` or through a `script`, pushing after each step.

    `delivery_code` (what the recipient said at the door) or `identity` ({"result", "deliveryCode"}) goes with the last
    step; `at` (yyyy-MM-dd HH:mm:ss) sets the time of a single step. The states `abort` and `updateall` push only.
    """
    body = control_body()
    waybill = str(need(body, "waybill"))
    names = _steps(body)
    identity = _identity(body, names[-1])
    company = _company(waybill)
    try:
        at = from_beijing(str(body["at"])) if body.get("at") else None
    except ValueError:
        raise BadControl("at must look like 2026-11-24 09:00:00") from None
    for name in names:
        if name in (parcels.ABORT, parcels.UPDATE_ALL):
            parcels.push_track(world(), waybill, status=name)
            continue
        with world().store.transaction():
            last = name == names[-1]
            parcels.add_event(world(), company, waybill, name, at=at, identity=identity if last else None)
            parcels.order_step(world(), waybill, name)
            parcels.push_track(world(), waybill)
    return {"waybill": waybill, "track": parcels.track(world(), company, waybill)}


def _steps(body: dict[str, Any]) -> tuple[str, ...]:
    if body.get("script"):
        if body["script"] not in parcels.SCRIPTS:
            raise BadControl(f"script must be one of {', '.join(parcels.SCRIPTS)}")
        return parcels.SCRIPTS[body["script"]]
    known = (*parcels.STEPS, parcels.ABORT, parcels.UPDATE_ALL)
    if body.get("state") not in known:
        raise BadControl(f"state must be one of {', '.join(known)}; or name a script")
    return (body["state"],)


def _identity(body: dict[str, Any], last: str) -> dict[str, Any] | None:
    """What the courier reports of the check at the door; None when nothing was checked."""
    given = body.get("identity")
    if given is None and body.get("delivery_code"):
        given = {"result": "ok", "deliveryCode": str(body["delivery_code"])}
    if given is None and last == "identity_failed":
        given = {"result": "failed"}
    if given is not None and (not isinstance(given, dict) or given.get("result") not in _RESULTS):
        raise BadControl('identity must be like {"result": "ok" or "failed", "deliveryCode": "123456"}')
    return given


def _company(waybill: str) -> str:
    """The carrier of a parcel, by its order or its subscription."""
    for table in ("courier_order", "subscription"):
        row = world().store.one(f"SELECT company FROM {table} WHERE waybill = ?", waybill)  # noqa: S608  # two constants
        if row is not None:
            return str(row["company"])
    raise BadControl(f"no parcel {waybill}: neither ordered nor subscribed")


@blueprint.get("/parcels.json")
def list_parcels() -> ResponseReturnValue:
    """Every parcel that was ordered or subscribed, with its order and its track."""
    return {"parcels": all_parcels()}


def all_parcels() -> list[dict[str, Any]]:
    """Every parcel, the newest first."""
    rows = world().store.all(
        "SELECT waybill, MAX(made_at) AS made_at FROM (SELECT waybill, made_at FROM courier_order"
        " UNION ALL SELECT waybill, made_at FROM subscription) GROUP BY waybill ORDER BY made_at DESC"
    )
    return [_parcel(str(row["waybill"])) for row in rows]


def _parcel(waybill: str) -> dict[str, Any]:
    company = _company(waybill)
    order = world().store.one("SELECT * FROM courier_order WHERE waybill = ?", waybill)
    subscription = world().store.one("SELECT status FROM subscription WHERE waybill = ?", waybill)
    return {
        "waybill": waybill,
        "company": company,
        "order": None
        if order is None
        else {
            "order_id": order["order_id"],
            "task_id": order["task_id"],
            "third_order_id": order["third_order_id"],
            "status": order["status"],
            "ordered_at": beijing(order["made_at"]),
            "param": {key: value for key, value in json.loads(order["param"]).items() if key != "salt"},
        },
        "subscription": subscription["status"] if subscription else None,
        "track": parcels.track(world(), company, waybill),
    }
