"""Parcels in every state, and the carrier's reports on them as the sandbox signs them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from casework.cases.queries import Case
from casework.delivery import jobs, service
from casework.delivery.models import Shipment
from core import db
from core.actors import Citizen, Staff
from partners.couriers.kuaidi100 import md5
from tests.factories import cases
from tests.sandbox_client import Sandbox

PARTNER = "kuaidi100"
PATH_SECRET = "callback-path-secret-of-tests"
ADDRESS = {
    "region_code": "330212",
    "region": "浙江省宁波市鄞州区",
    "street": "百丈街道",
    "detail": "朝晖路 1 号 2 幢 301",
}
PACKED = ({"name": "不动产权证书", "number": "浙(2026)宁波市不动产权第0000001号", "copies": 1},)


@dataclass(frozen=True)
class Hands:
    """Who a parcel passes through: the right-holder, the clerk who packs, the one who seals, the officer who decides."""

    owner: Citizen
    packer: Staff
    sealer: Staff
    officer: Staff


def ready(hands: Hands, *, item_id: str = cases.ITEM) -> Case:
    """A case whose result can be sent."""
    with db.transaction() as session:
        return cases.ready(session, hands.owner, hands.packer, hands.officer, item_id=item_id)


def request(session: Session, owner: Citizen, case_id: UUID, *, phone: str | None = None, **address: str) -> Shipment:
    """Ask for the result of a case by courier."""
    return service.request(session, actor=owner, case_id=case_id, phone=phone, address=ADDRESS | address)


def requested(hands: Hands, **address: str) -> Shipment:
    """One that waits to be packed."""
    case = ready(hands)
    with db.transaction() as session:
        return request(session, hands.owner, case.id, **address)


def sealed(hands: Hands, **address: str) -> Shipment:
    """One that was packed by two people; the courier is about to be ordered."""
    shipment = requested(hands, **address)
    with db.transaction() as session:
        service.confirm(session, actor=hands.packer, shipment_id=shipment.id, items=PACKED)
        return service.seal(session, actor=hands.sealer, shipment_id=shipment.id)


def ordered(hands: Hands) -> Shipment:
    """One whose courier is ordered at the sandbox and whose reports are subscribed to."""
    shipment = sealed(hands)
    jobs.place_order(str(shipment.id))
    jobs.subscribe(str(shipment.id))
    return fresh(shipment)


def fresh(shipment: Shipment) -> Shipment:
    """The shipment as it stands now."""
    with db.transaction() as session:
        return session.get_one(Shipment, shipment.id)


def moves(shipment: Shipment) -> list[str]:
    """The states it went through, in order."""
    with db.transaction() as session:
        rows = session.execute(
            text("SELECT to_state FROM shipment_history WHERE shipment_id = :id ORDER BY id"), {"id": shipment.id}
        )
        return [row.to_state for row in rows]


def parcels(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The orders and tracks that the carrier has, the newest first."""
    found: list[dict[str, Any]] = sandbox.get("kuaidi100/parcels.json")["parcels"]
    return found


def code_of(shipment: Shipment) -> str:
    """The delivery code in the last message that brought one."""
    return str(re.findall(r"签收码是 ?(\d{6})", cases.texts(shipment.owner_id))[-1])


def reports(sandbox: Sandbox, shipment: Shipment, kind: str = "track") -> list[bytes]:
    """The bodies that the carrier has signed for this parcel, oldest first."""
    found = sandbox.get("callbacks.json", partner=PARTNER, reference=shipment.waybill)["callbacks"]
    return [call["body"].encode() for call in reversed(found) if call["kind"] == kind]


def advance(sandbox: Sandbox, shipment: Shipment, **step: Any) -> bytes:
    """The courier does something; the newest report about it."""
    sandbox.post("kuaidi100/advance", waybill=shipment.waybill, **step)
    return reports(sandbox, shipment)[-1]


def signed(shipment: Shipment, param: Any, *, salt: str | None = None) -> bytes:
    """A report of our own making, signed like the carrier's."""
    written = json.dumps(param, ensure_ascii=False)
    return urlencode({"sign": md5(written + (salt or shipment.callback_salt)), "param": written}).encode()


def track(shipment: Shipment, *events: tuple[str, str], status: str = "polling", **more: Any) -> bytes:
    """A signed report of `events`, each a time of day as text and a code."""
    rows = [{"ftime": at, "context": "", "statusCode": code, "areaName": "浙江,宁波市"} for at, code in events]
    return signed(shipment, {"status": status, "lastResult": {"nu": shipment.waybill, "data": rows, **more}})


def deliver(client: FlaskClient, shipment: Shipment, body: bytes, secret: str = PATH_SECRET) -> tuple[int, str]:
    """Send a report to the callback; status and text of the answer."""
    answer = client.post(
        f"/callbacks/kuaidi100/{secret}/{shipment.id}", data=body, content_type="application/x-www-form-urlencoded"
    )
    return answer.status_code, answer.get_data(as_text=True)
