"""快递100's wire format against published values and the sandbox over HTTP."""

import json
from urllib.parse import urlencode

import pytest

from casework.delivery.ports import CourierOrder, OrderReport, Party, TrackReport
from casework.delivery.rules import Kind
from core.errors import SignatureInvalid
from core.ids import random_token
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import Settings
from partners.couriers.kuaidi100 import Kuaidi100, kind_of, md5
from tests.sandbox_client import Sandbox


@pytest.fixture
def courier(settings: Settings) -> Kuaidi100:
    return Kuaidi100(settings.kuaidi100)


def _order(number: str = "KD0001", address: str = "浙江省宁波市鄞州区百丈街道 1 号") -> CourierOrder:
    return CourierOrder(
        our_number=number,
        sender=Party("宁波市行政服务中心", "057412345", "宁波市宁穿路1901号"),
        receiver=Party("张伟", "+8619900000001", address),
        callback_url="http://127.0.0.1:9/nowhere",
        salt=random_token(128),
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("0", Kind.MOVED), ("1", Kind.COLLECTED), ("2", Kind.ATTEMPT_FAILED), ("3", Kind.SIGNED), ("4", Kind.RETURNED),
        ("5", Kind.OUT), ("6", Kind.RETURNING), ("7", Kind.MOVED), ("14", Kind.REFUSED), ("8", Kind.OTHER),
        ("101", Kind.MOVED), ("103", Kind.COLLECTED), ("1001", Kind.MOVED), ("1003", Kind.MOVED), ("301", Kind.SIGNED),
        ("303", Kind.SIGNED_BY_OTHER), ("304", Kind.SIGNED_BY_OTHER), ("501", Kind.LEFT_AT_LOCKER),
        ("203", Kind.REFUSED), ("209", Kind.DAMAGED), ("299", Kind.ATTEMPT_FAILED), ("399", Kind.SIGNED),
        ("999", Kind.OTHER), ("", Kind.OTHER), ("x", Kind.OTHER),
    ],
)  # fmt: skip
def test_codes_in_our_words(code: str, kind: Kind) -> None:
    assert kind_of(code) is kind


def test_ordering_twice_names_the_same_order(courier: Kuaidi100, sandbox: Sandbox) -> None:
    first, again = courier.place_order(_order()), courier.place_order(_order())
    assert first == again
    assert first.waybill
    assert courier.place_order(_order("KD0002")).waybill != first.waybill


def test_the_carrier_learns_nothing_of_the_matter(courier: Kuaidi100, sandbox: Sandbox) -> None:
    """CR-17."""
    courier.place_order(_order())
    parcel = sandbox.get("kuaidi100/parcels.json")["parcels"][0]
    assert parcel["order"]["param"]["cargo"] == "文件"
    assert parcel["order"]["param"]["recManMobile"] == "19900000001"


def test_an_order_it_refuses_is_told_apart_from_one_that_got_lost(courier: Kuaidi100, sandbox: Sandbox) -> None:
    with pytest.raises((PartnerRefused, PartnerUnavailable)):
        courier.place_order(_order(address="不派送区域"))
    sandbox.fault("kuaidi100", "timeout")
    with pytest.raises(PartnerUnavailable):
        courier.place_order(_order())


def test_subscribing_twice_is_success(courier: Kuaidi100, sandbox: Sandbox) -> None:
    placed = courier.place_order(_order())
    for _ in range(2):
        courier.subscribe(
            carrier=placed.carrier,
            waybill=placed.waybill,
            phone="+8619900000001",
            callback_url="http://127.0.0.1:9/x",
            salt="s",
        )


def test_a_track_is_read_and_an_unknown_one_is_nothing(courier: Kuaidi100, sandbox: Sandbox) -> None:
    placed = courier.place_order(_order())
    wanted = {"carrier": placed.carrier, "waybill": placed.waybill, "phone": "+8619900000001"}
    assert courier.track(**wanted) is None
    sandbox.post("kuaidi100/advance", waybill=placed.waybill, script="to_the_door")
    report = courier.track(**wanted)
    assert report is not None
    assert [event.kind for event in sorted(report.events)] == [Kind.COLLECTED, Kind.MOVED, Kind.MOVED, Kind.OUT]


def test_cancelling(courier: Kuaidi100, sandbox: Sandbox) -> None:
    placed = courier.place_order(_order())
    courier.cancel(order_id=placed.order_id, task_id=placed.task_id)
    courier.cancel(order_id=placed.order_id, task_id=placed.task_id)
    with pytest.raises(PartnerRefused):
        courier.cancel(order_id="0", task_id="0")


def _signed(param: object, salt: str) -> bytes:
    text = json.dumps(param, ensure_ascii=False)
    return urlencode({"sign": md5(text + salt), "param": text}).encode()


def test_callbacks_are_verified_on_the_text_sent(courier: Kuaidi100) -> None:
    body = _signed({"status": "abort", "lastResult": {"nu": "SF1", "data": []}}, "salt")
    report = courier.read_callback(body, "salt")
    assert isinstance(report, TrackReport)
    assert (report.waybill, report.gave_up) == ("SF1", True)
    for wrong in ("other", ""):
        with pytest.raises(SignatureInvalid):
            courier.read_callback(body, wrong)
    with pytest.raises(SignatureInvalid):
        courier.read_callback(body.replace(b"abort", b"polling"), "salt")


@pytest.mark.parametrize(
    ("status", "failed"),
    [(0, False), (1, False), (2, False), (10, False), (101, False), (9, True), (11, True), (99, True)],
)
def test_an_order_that_is_given_up_is_told_apart(courier: Kuaidi100, status: int, failed: bool) -> None:
    body = _signed({"kuaidinum": "SF1", "data": {"orderId": "77", "status": status}}, "salt")
    assert courier.read_callback(body, "salt") == OrderReport("77", failed)


@pytest.mark.parametrize(
    "param", [{"data": {"status": 1}}, [], "x", {"lastResult": {"data": [{"time": "x"}]}}, {"lastResult": 3}]
)
def test_signed_reports_without_use_are_nothing(courier: Kuaidi100, param: object) -> None:
    assert courier.read_callback(_signed(param, "salt"), "salt") is None
