"""快递100: orders, subscription, query, and the callbacks of both, with the check at the door (4.2, CR-7)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Listener, Received, wait_until
from tests.sandbox.partners import Kuaidi100, md5
from tests.sandbox_client import Sandbox

ACKNOWLEDGED = (200, '{"result":true,"returnCode":"200","message":"成功"}'.encode())


@pytest.fixture
def couriers(sandbox: Sandbox, listener: Listener) -> Kuaidi100:
    listener.answers = [ACKNOWLEDGED]
    return Kuaidi100(sandbox)


def param(push: Received, salt: str) -> dict[str, Any]:
    """What a push says, its signature checked over the exact text."""
    form = push.form
    assert form["sign"] == md5(form["param"] + salt)
    found: dict[str, Any] = json.loads(form["param"])
    return found


def tracks(listener: Listener) -> list[dict[str, Any]]:
    return [param(push, "salt-of-the-track") for push in list(listener.received) if push.path == "/track"]


def subscribed(couriers: Kuaidi100, listener: Listener, third: str = "S1") -> str:
    """Order and subscribe: the waybill."""
    waybill: str = couriers.order(third)["data"]["kuaidinum"]
    assert couriers.subscribe(waybill, f"{listener.url}/track")["returnCode"] == "200"
    return waybill


def advance(couriers: Kuaidi100, waybill: str, state: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = couriers.sandbox.post("kuaidi100/advance", waybill=waybill, state=state, **more)
    return found


def test_an_order_is_the_same_for_its_third_party_number(couriers: Kuaidi100) -> None:
    first, second, other = couriers.order("S1"), couriers.order("S1"), couriers.order("S2")
    assert first["result"] is True and first["returnCode"] == "200"
    assert first["data"] == second["data"]
    assert first["data"]["kuaidinum"] != other["data"]["kuaidinum"]
    assert couriers.order("")["data"] != couriers.order("")["data"]
    parcels = couriers.sandbox.get("kuaidi100/parcels.json")["parcels"]
    assert parcels[-1]["order"]["third_order_id"] == "S1"
    assert "salt" not in parcels[-1]["order"]["param"]


def test_orders_are_authenticated(couriers: Kuaidi100) -> None:
    assert couriers.borderapi("bOrder", {}, sign="0" * 32)["returnCode"] == "503"
    assert couriers.borderapi("bOrder", {}, key="x")["returnCode"] == "600"
    stale = str(int(time.time() * 1000) - 700_000)
    signed = md5("{}" + stale + couriers.ours["key"] + couriers.ours["secret"])
    assert couriers.borderapi("bOrder", {}, t=stale, sign=signed)["returnCode"] == "400"


@pytest.mark.parametrize(
    ("over", "code"),
    [({"kuaidicom": "pigeon"}, "400"), ({"recManName": ""}, "400"), ({"thirdOrderId": "S" * 33}, "400"),
     ({"callBackUrl": "nowhere"}, "700"), ({"recManPrintAddr": "浙江省宁波市不派送区域1号"}, "500")],
)  # fmt: skip
def test_orders_that_are_refused(couriers: Kuaidi100, over: dict[str, str], code: str) -> None:
    answer = couriers.order("S1", **over)
    assert (answer["result"], answer["returnCode"]) == (False, code)
    assert couriers.sandbox.get("kuaidi100/parcels.json")["parcels"] == []


def test_order_callbacks_follow_the_parcel(couriers: Kuaidi100, listener: Listener) -> None:
    made = couriers.order("S1", f"{listener.url}/order")["data"]
    couriers.sandbox.post("kuaidi100/advance", waybill=made["kuaidinum"], script="deliver")
    pushes = listener.wait_for(4)
    assert [push.form["taskId"] for push in pushes] == [made["taskId"]] * 4
    said = sorted(param(push, "salt-of-the-order")["data"]["status"] for push in pushes)
    assert said == [1, 10, 13, 101]
    first = param(pushes[0], "salt-of-the-order")
    assert (first["kuaidinum"], first["data"]["orderId"]) == (made["kuaidinum"], made["orderId"])


def test_an_order_is_cancelled_until_it_is_picked_up(couriers: Kuaidi100) -> None:
    one, two = couriers.order("S1")["data"], couriers.order("S2")["data"]

    def cancel(order: dict[str, str]) -> dict[str, Any]:
        return couriers.borderapi("cancel", {"taskId": order["taskId"], "orderId": order["orderId"], "cancelMsg": "x"})

    assert cancel(one)["returnCode"] == "200"
    assert cancel(one)["returnCode"] == "200"
    advance(couriers, two["kuaidinum"], "picked_up")
    assert cancel(two) == {"result": False, "returnCode": "500", "message": "订单已取件，不能取消"}
    assert cancel({"taskId": "x", "orderId": "x"})["returnCode"] == "400"


def test_subscribing_twice_is_501_until_half_an_hour_after_the_end(couriers: Kuaidi100, listener: Listener) -> None:
    waybill = subscribed(couriers, listener)
    assert couriers.subscribe(waybill, listener.url)["returnCode"] == "501"
    advance(couriers, waybill, "abort")
    listener.wait_for(1)
    assert couriers.subscribe(waybill, listener.url)["returnCode"] == "501"
    wait_until(lambda: couriers.subscribe(waybill, listener.url)["returnCode"] == "200")


@pytest.mark.parametrize(
    ("over", "code"),
    [({"key": "x"}, "600"), ({"company": "pigeon"}, "702"), ({"number": "1"}, "700"),
     ({"parameters": {"callbackurl": "nowhere"}}, "700"), ({"parameters": None}, "700")],
)  # fmt: skip
def test_subscriptions_that_are_refused(couriers: Kuaidi100, over: dict[str, Any], code: str) -> None:
    assert couriers.subscribe("9000000000001", "http://127.0.0.1:9/x", **over)["returnCode"] == code


def test_every_step_pushes_the_whole_track_newest_first(couriers: Kuaidi100, listener: Listener) -> None:
    waybill = subscribed(couriers, listener)
    couriers.sandbox.post("kuaidi100/advance", waybill=waybill, script="deliver", delivery_code="123456")
    wait_until(lambda: len(tracks(listener)) == 5)
    pushes = tracks(listener)
    assert [push["status"] for push in pushes] == ["polling"] * 4 + ["shutdown"]
    assert [push["lastResult"]["state"] for push in pushes] == ["1", "0", "0", "5", "3"]
    assert [len(push["lastResult"]["data"]) for push in pushes] == [1, 2, 3, 4, 5]
    last = pushes[-1]["lastResult"]
    times = [event["time"] for event in last["data"]]
    assert times == sorted(times, reverse=True) and len(set(times)) == 5
    assert [event["statusCode"] for event in last["data"]] == ["301", "5", "1001", "1002", "103"]
    assert (last["nu"], last["com"], last["ischeck"]) == (waybill, "ems", "1")
    check = last["identityCheck"]
    assert (check["result"], check["deliveryCode"], check["at"]) == ("ok", "123456", times[0])
    assert all("identityCheck" not in push["lastResult"] for push in pushes[:-1])


def test_signing_without_a_check_says_nothing_of_identity(couriers: Kuaidi100, listener: Listener) -> None:
    waybill = subscribed(couriers, listener)
    advance(couriers, waybill, "signed")
    listener.wait_for(1)
    assert "identityCheck" not in tracks(listener)[0]["lastResult"]


def test_a_failed_check_at_the_door(couriers: Kuaidi100, listener: Listener) -> None:
    waybill = subscribed(couriers, listener)
    advance(couriers, waybill, "identity_failed", identity={"result": "failed", "deliveryCode": "000000"})
    listener.wait_for(1)
    found = tracks(listener)[0]["lastResult"]
    assert found["state"] == "2"
    assert (found["identityCheck"]["result"], found["identityCheck"]["deliveryCode"]) == ("failed", "000000")


def test_other_ends_of_the_way(couriers: Kuaidi100, listener: Listener) -> None:
    waybill = subscribed(couriers, listener)
    couriers.sandbox.post("kuaidi100/advance", waybill=waybill, script="return")
    wait_until(lambda: len(tracks(listener)) == 7)
    assert [push["lastResult"]["state"] for push in tracks(listener)] == ["1", "0", "0", "5", "14", "6", "4"]
    assert tracks(listener)[-1]["status"] == "shutdown"
    advance(couriers, waybill, "signed_by_other")
    advance(couriers, waybill, "updateall")
    wait_until(lambda: len(tracks(listener)) == 8)
    assert (tracks(listener)[-1]["status"], tracks(listener)[-1]["lastResult"]["data"][0]["statusCode"]) == (
        "updateall", "303",
    )  # fmt: skip


def test_abort_without_any_record(couriers: Kuaidi100, listener: Listener) -> None:
    waybill = subscribed(couriers, listener)
    advance(couriers, waybill, "abort")
    listener.wait_for(1)
    push = tracks(listener)[0]
    assert (push["status"], push["message"], push["lastResult"]["data"]) == ("abort", "3天查询无记录", [])


def test_event_times_can_be_set(couriers: Kuaidi100) -> None:
    waybill = couriers.order("S1")["data"]["kuaidinum"]
    track = advance(couriers, waybill, "picked_up", at="2026-11-25 08:00:00")["track"]
    assert track["data"][0]["time"] == "2026-11-25 08:00:00"


@pytest.mark.parametrize(
    "answer",
    [(200, b"success"), (200, b'{"result":true,"returnCode":"200","message":"ok"}'), (500, ACKNOWLEDGED[1])],
)
def test_a_push_comes_again_unless_answered_exactly(
    couriers: Kuaidi100, listener: Listener, answer: tuple[int, bytes]
) -> None:
    waybill = subscribed(couriers, listener)
    listener.answers = [answer, ACKNOWLEDGED]
    advance(couriers, waybill, "picked_up")
    one, two = listener.wait_for(2)
    assert one.body == two.body
    wait_until(
        lambda: couriers.sandbox.get("callbacks.json", reference=waybill)["callbacks"][0]["state"] == "delivered"
    )


def test_four_tries_are_the_last(couriers: Kuaidi100, listener: Listener) -> None:
    listener.answers = [(500, b"")]
    waybill = subscribed(couriers, listener)
    advance(couriers, waybill, "picked_up")
    listener.wait_for(4)
    wait_until(lambda: couriers.sandbox.get("callbacks.json", reference=waybill)["callbacks"][0]["state"] == "gave_up")
    assert len(listener.received) == 4


def test_query_answers_what_the_push_said(couriers: Kuaidi100, listener: Listener) -> None:
    waybill = subscribed(couriers, listener)
    assert couriers.query(waybill)["returnCode"] == "500"
    advance(couriers, waybill, "signed", delivery_code="123456")
    listener.wait_for(1)
    assert couriers.query(waybill) == tracks(listener)[0]["lastResult"]
    assert couriers.query(waybill, sign="0" * 32)["returnCode"] == "503"
    assert couriers.query(waybill, company="pigeon")["returnCode"] == "400"


def test_shunfeng_wants_a_phone(couriers: Kuaidi100) -> None:
    waybill = couriers.order("S1", kuaidicom="shunfeng")["data"]["kuaidinum"]
    assert waybill.startswith("SF")
    advance(couriers, waybill, "picked_up")
    assert couriers.query(waybill, company="shunfeng")["returnCode"] == "408"
    assert couriers.query(waybill, company="shunfeng", phone="19900000001")["status"] == "200"
    assert couriers.query(waybill, company="shunfeng", phone="0001")["status"] == "200"


@pytest.mark.parametrize(
    "body",
    [{"waybill": "none", "state": "signed"}, {"state": "signed"}, {"waybill": "W", "state": "flown"},
     {"waybill": "W", "script": "magic"}, {"waybill": "W", "state": "signed", "at": "noon"},
     {"waybill": "W", "state": "signed", "identity": {"result": "maybe"}}],
)  # fmt: skip
def test_control_says_what_is_wrong(couriers: Kuaidi100, body: dict[str, Any]) -> None:
    if body.get("waybill") == "W":
        body = {**body, "waybill": couriers.order("S1")["data"]["kuaidinum"]}
    answer = requests.post(f"{couriers.sandbox.url}/_sandbox/kuaidi100/advance", json=body, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]
