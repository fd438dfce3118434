"""快递100: order, subscribe, query, cancel, and what its callbacks say.

Every signature is an upper-case MD5 over the exact text sent; a subscription carries a salt of its own per shipment, for
a callback without a salt proves nothing. `identityCheck` in a report is the field of the carrier contract (CR-7).
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from casework.delivery.ports import CourierOrder, IdentityReport, OrderReport, Placed, TrackReport
from casework.delivery.rules import Event, Kind
from core.clock import SHANGHAI
from core.crypto import constant_time_equal
from core.errors import SignatureInvalid
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import Kuaidi100Settings
from partners import http

log = logging.getLogger("partners.kuaidi100")

NAME = "kuaidi100"
CARRIER = "shunfeng"
ANSWER = b'{"result":true,"returnCode":"200","message":"\xe6\x88\x90\xe5\x8a\x9f"}'
"""Exactly what it wants to hear; anything else is sent again three times."""

# Advanced codes (resultv2=4) that say more than their first digit.
_ADVANCED: dict[str, Kind] = {
    "101": Kind.MOVED,
    "102": Kind.MOVED,
    "103": Kind.COLLECTED,
    "501": Kind.LEFT_AT_LOCKER,
    "301": Kind.SIGNED,
    "302": Kind.SIGNED,
    "303": Kind.SIGNED_BY_OTHER,
    "304": Kind.SIGNED_BY_OTHER,
    "201": Kind.ATTEMPT_FAILED,
    "202": Kind.MOVED,
    "203": Kind.REFUSED,
    "204": Kind.ATTEMPT_FAILED,
    "205": Kind.HELD,
    "206": Kind.ATTEMPT_FAILED,
    "207": Kind.HELD,
    "208": Kind.HELD,
    "209": Kind.DAMAGED,
}
# Basic states; 10-13 are customs, which a parcel inside the country never meets.
_BASIC: dict[str, Kind] = {
    "0": Kind.MOVED,
    "1": Kind.COLLECTED,
    "2": Kind.ATTEMPT_FAILED,
    "3": Kind.SIGNED,
    "4": Kind.RETURNED,
    "5": Kind.OUT,
    "6": Kind.RETURNING,
    "7": Kind.MOVED,
    "14": Kind.REFUSED,
}
# States of an order that the carrier won't carry out: cancelled by a person, picking up failed, cancelled by the carrier.
_ORDER_FAILED = frozenset({"9", "11", "99"})
# Subscribing again to what is already reported is success.
_DUPLICATE = "501"
# Its own trouble: the call may or may not have had its effect.
_UNKNOWN = frozenset({"500", "502"})


def md5(text: str) -> str:
    """The upper-case hex MD5 that all of its signatures are."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def kind_of(code: str) -> Kind:
    """Our word for a code: advanced codes by their table, unknown three-digit ones by the first digit, 100x as under way."""
    if code in _ADVANCED:
        return _ADVANCED[code]
    if len(code) == 4 and code.startswith("100"):
        return Kind.MOVED
    if len(code) == 3 and code.isdigit():
        return _BASIC.get(code[0], Kind.OTHER)
    return _BASIC.get(code, Kind.OTHER)


class Kuaidi100:
    """Implements `casework.delivery.ports.Courier`."""

    def __init__(self, settings: Kuaidi100Settings) -> None:
        self._settings = settings

    def place_order(self, order: CourierOrder) -> Placed:
        """Order a pick-up; `thirdOrderId` makes a repeat name the same order for 48 h."""
        param = {
            "kuaidicom": CARRIER,
            "recManName": order.receiver.name,
            "recManMobile": _national(order.receiver.phone),
            "recManPrintAddr": order.receiver.address,
            "sendManName": order.sender.name,
            "sendManMobile": order.sender.phone,
            "sendManPrintAddr": order.sender.address,
            "cargo": "文件",
            "weight": "1",
            "payment": "SHIPPER",
            "callBackUrl": order.callback_url,
            "salt": order.salt,
            "thirdOrderId": order.our_number,
        }
        data = self._order("bOrder", param)["data"]
        return Placed(CARRIER, str(data["orderId"]), str(data["taskId"]), str(data["kuaidinum"]))

    def cancel(self, *, order_id: str, task_id: str) -> None:
        """Cancel an order."""
        self._order("cancel", {"orderId": order_id, "taskId": task_id, "cancelMsg": "改为窗口领取"})

    def subscribe(self, *, carrier: str, waybill: str, phone: str, callback_url: str, salt: str) -> None:
        """Ask for reports; unsigned, the key stands inside."""
        param = {
            "company": carrier,
            "number": waybill,
            "key": self._settings.key,
            "parameters": {"callbackurl": callback_url, "salt": salt, "resultv2": "4", "phone": _national(phone)[-4:]},
        }
        try:
            self._post("/poll", self._settings.poll_url, {"schema": "json", "param": _text(param)})
        except PartnerRefused as refusal:
            if refusal.code != _DUPLICATE:
                raise

    def track(self, *, carrier: str, waybill: str, phone: str) -> TrackReport | None:
        """Look a parcel up."""
        text = _text({"com": carrier, "num": waybill, "phone": _national(phone)[-4:], "resultv2": "4"})
        sign = md5(text + self._settings.key + self._settings.customer)
        form = {"customer": self._settings.customer, "sign": sign, "param": text}
        try:
            found = self._post("/poll/query.do", self._settings.poll_url, form)
        except NothingKnown:
            return None
        return _report(found, gave_up=False)

    def read_callback(self, body: bytes, salt: str) -> TrackReport | OrderReport | None:
        """The report in a callback; None when it says nothing that we use. Raises `SignatureInvalid`."""
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        text, sign = fields.get("param", [""])[0], fields.get("sign", [""])[0]
        if not salt or not constant_time_equal(md5(text + salt), sign):
            raise SignatureInvalid()
        try:
            param = json.loads(text)
            if "lastResult" not in param:
                return _order_report(param)
            return _report(param["lastResult"], gave_up=param.get("status") == "abort")
        except (ValueError, TypeError, AttributeError, KeyError):
            # Signed, so it is theirs; but nothing we can use. The raw body is kept for a person.
            log.warning("a signed report can't be read")
            return None

    def _order(self, method: str, param: Mapping[str, Any]) -> dict[str, Any]:
        text, stamp = _text(param), str(int(time.time() * 1000))
        sign = md5(text + stamp + self._settings.key + self._settings.secret)
        form = {"method": method, "key": self._settings.key, "t": stamp, "sign": sign, "param": text}
        return self._post("/order/borderapi.do", self._settings.order_url, form)

    def _post(self, path: str, base: str, form: Mapping[str, str]) -> dict[str, Any]:
        answer = http.request(NAME, "POST", base + path, data=form)
        try:
            found: dict[str, Any] = answer.json()
            code = str(found.get("returnCode") or found.get("status") or "")
        except (ValueError, AttributeError):
            raise PartnerUnavailable(NAME) from None
        if code == "200":
            return found
        if code in _UNKNOWN:
            raise NothingKnown(NAME) if path.endswith("query.do") else PartnerUnavailable(NAME)
        raise PartnerRefused(code or "-")


class NothingKnown(PartnerUnavailable):
    """A query found no track yet, which it says with the code of a server fault."""


def _order_report(param: Mapping[str, Any]) -> OrderReport | None:
    data = param["data"]
    return OrderReport(str(data["orderId"]), str(data["status"]) in _ORDER_FAILED)


def _report(found: Mapping[str, Any], *, gave_up: bool) -> TrackReport:
    events = []
    for row in found.get("data") or []:
        code = str(row.get("statusCode") or "")
        moment = datetime.strptime(str(row.get("ftime") or row["time"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
        place = str(row.get("areaName") or row.get("location") or "")
        events.append(Event(at=moment, code=code[:20], place=place[:100], kind=kind_of(code)))
    return TrackReport(str(found.get("nu") or ""), events, gave_up, _identity(found.get("identityCheck")))


def _identity(check: Any) -> IdentityReport | None:
    if not isinstance(check, Mapping):
        return None
    try:
        at = datetime.strptime(str(check.get("at")), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    except ValueError:
        at = None
    return IdentityReport(check.get("result") == "ok", str(check.get("deliveryCode") or ""), at)


def _text(param: Mapping[str, Any]) -> str:
    return json.dumps(param, ensure_ascii=False, separators=(",", ":"))


def _national(phone: str) -> str:
    return phone.removeprefix("+86")
