"""Tiles over HTTP: listed, opened signed in, closed with a reason, counted (S38)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from core.db import transaction
from tests.factories import oidc

URL = "/api/v1/tiles"
STAFF = "/staff/v1/tiles"


@pytest.fixture
def admin(staff: Callable[..., Any]) -> dict[str, str]:
    headers: dict[str, str] = staff("SYSTEM_ADMIN")[1]
    return headers


def aim(client: FlaskClient, admin: dict[str, str], tile: str, **target: Any) -> Any:
    return client.put(f"{STAFF}/{tile}/target", json=target, headers=admin)


def launch(client: FlaskClient, headers: dict[str, str], tile: str = "T01", **body: Any) -> Any:
    return client.post(f"{URL}/{tile}/launch", json=body, headers=headers)


def test_all_tiles_are_listed_and_none_is_connected_at_first(client: FlaskClient) -> None:
    items = client.get(URL).get_json()["items"]
    assert len(items) == 46
    assert {item["open"] for item in items} == {False}
    assert items[0]["reason"] == "该服务尚未接入"
    english = client.get(URL, headers={"Accept-Language": "en"}).get_json()["items"]
    assert english[0]["reason"] == "This service is not connected yet"


def test_a_plain_tile(client: FlaskClient, citizen: Callable[..., Any], admin: dict[str, str]) -> None:
    _, headers = citizen(level=1)
    address = "https://water.example.cn/pay"
    refused = aim(client, admin, "T01", kind="PLAIN", address=address)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "TARGET_NOT_ALLOWED")
    assert (
        client.put(f"{STAFF}/hosts", json={"host": "water.example.cn", "note": "水务"}, headers=admin).status_code
        == 204
    )
    assert aim(client, admin, "T01", kind="PLAIN", address=address).status_code == 204
    assert launch(client, headers).get_json() == {"kind": "PLAIN", "address": address, "expires_at": None}
    assert [host["host"] for host in client.get(f"{STAFF}/hosts", headers=admin).get_json()["items"]] == [
        "water.example.cn"
    ]
    # ID-8: taken off the list, the tile leads nowhere.
    assert client.delete(f"{STAFF}/hosts/water.example.cn", headers=admin).status_code == 204
    assert launch(client, headers).get_json()["code"] == "TARGET_NOT_ALLOWED"


def test_a_client_of_our_sign_in(client: FlaskClient, citizen: Callable[..., Any], admin: dict[str, str]) -> None:
    site = oidc.register(initiate_login_uri="https://tax.example.gov.cn/login?from=city")
    assert aim(client, admin, "T02", kind="OIDC", client_id=site.client_id, min_level=2).status_code == 204
    _, low = citizen(level=1)
    refused = launch(client, low, "T02")
    assert (refused.status_code, refused.get_json()["needed_level"]) == (401, 2)
    _, headers = citizen(level=2)
    address = launch(client, headers, "T02").get_json()["address"]
    assert address == "https://tax.example.gov.cn/login?from=city&iss=http%3A%2F%2Flocalhost"


def test_a_bridge_tile_asks_for_consent_and_carries_a_ticket(
    client: FlaskClient, citizen: Callable[..., Any], admin: dict[str, str]
) -> None:
    site = oidc.register(scopes=("openid", "profile"))
    goto = "https://gjj.example.cn/app/"
    unknown = aim(client, admin, "T03", kind="BRIDGE", client_id=site.client_id, address=goto)
    assert unknown.get_json()["code"] == "TARGET_NOT_ALLOWED"
    bridge = client.put(f"{STAFF}/bridges/{site.client_id}", json={"addresses": [goto]}, headers=admin)
    assert bridge.status_code == 204
    assert aim(client, admin, "T03", kind="BRIDGE", client_id=site.client_id, address=goto).status_code == 204
    _, headers = citizen(level=2, name="李雷")
    asked = launch(client, headers, "T03")
    assert (asked.status_code, asked.get_json()["code"]) == (403, "CONSENT_REQUIRED")
    assert [one["field"] for one in asked.get_json()["fields"]] == ["name"]
    opened = launch(client, headers, "T03", agreed=["name"]).get_json()
    assert opened["kind"] == "BRIDGE"
    ticket = oidc.params(opened["address"])["ticket"]
    told = client.post("/oidc/tickets/exchange", data={"ticket": ticket}, headers=site.basic).get_json()
    assert (told["name"], told["goto"]) == ("李雷", goto)
    _, kiosk = citizen(level=2, channel="KIOSK")
    closed = launch(client, kiosk, "T03", agreed=["name"])
    assert (closed.status_code, closed.get_json()["code"]) == (409, "TILE_CLOSED")


def test_a_closed_tile_says_why(client: FlaskClient, citizen: Callable[..., Any], admin: dict[str, str]) -> None:
    _, headers = citizen(level=1)
    assert launch(client, headers, "T04").get_json()["detail"] == "该服务尚未接入"
    client.put(f"{STAFF}/hosts", json={"host": "gas.example.cn", "note": "燃气"}, headers=admin)
    target = {"kind": "PLAIN", "address": "https://gas.example.cn/", "open": False}
    assert aim(client, admin, "T04", **target).status_code == 422
    aim(client, admin, "T04", **target, closed_zh="系统升级至12月1日", closed_en="Upgraded until 1 December")
    closed = launch(client, headers, "T04")
    assert (closed.status_code, closed.get_json()["detail"]) == (409, "系统升级至12月1日")
    (shown,) = [item for item in client.get(URL).get_json()["items"] if item["id"] == "T04"]
    assert (shown["open"], shown["reason"]) == (False, "系统升级至12月1日")


@pytest.mark.parametrize(
    "target",
    [
        {"kind": "PLAIN", "address": "javascript:alert(1)"},
        {"kind": "PLAIN", "address": "http://water.example.cn/"},
        {"kind": "PLAIN"},
        {"kind": "PLAIN", "address": "https://water.example.cn/", "client_id": "tax"},
        {"kind": "OIDC", "client_id": "nobody"},
        {"kind": "OIDC"},
        {"kind": "BRIDGE", "client_id": "nobody", "address": "https://gjj.example.cn/"},
        {"kind": "TELEPATHY"},
    ],
)
def test_wrong_targets_are_refused(client: FlaskClient, admin: dict[str, str], target: dict[str, Any]) -> None:
    answer = aim(client, admin, "T01", **target)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "INVALID_INPUT")


def test_launches_are_counted_without_names(
    client: FlaskClient, citizen: Callable[..., Any], admin: dict[str, str]
) -> None:
    client.put(f"{STAFF}/hosts", json={"host": "water.example.cn", "note": "水务"}, headers=admin)
    aim(client, admin, "T01", kind="PLAIN", address="https://water.example.cn/")
    for channel, times in (("WXMP", 2), ("APP", 1)):
        _, headers = citizen(level=1, channel=channel)
        for _ in range(times):
            assert launch(client, headers).status_code == 200
    launch(client, headers, "T09")
    counted = client.get(f"{STAFF}/launches", headers=admin).get_json()["items"]
    assert counted == [
        {"tile_id": "T01", "channel": "APP", "launches": 1},
        {"tile_id": "T01", "channel": "WXMP", "launches": 2},
    ]
    with transaction() as session:
        columns = session.execute(
            text("SELECT column_name FROM information_schema.columns WHERE table_name = 'tile_launch'")
        ).scalars()
        assert set(columns) == {"day", "tile_id", "channel", "launches"}


def test_unknown_tiles_and_strangers(
    client: FlaskClient, citizen: Callable[..., Any], staff: Callable[..., Any]
) -> None:
    _, headers = citizen(level=1)
    assert launch(client, headers, "T99").status_code == 404
    assert client.post(f"{URL}/T01/launch", json={}).status_code == 401
    _, clerk = staff("FRONT_CLERK")
    assert aim(client, clerk, "T01", kind="PLAIN", address="https://water.example.cn/").status_code == 403
    _, admin = staff("SYSTEM_ADMIN")
    assert aim(client, admin, "T99", kind="PLAIN", address="https://water.example.cn/").status_code == 404
    assert client.delete(f"{STAFF}/hosts/nobody.cn", headers=admin).status_code == 404


def test_the_list_is_two_queries_and_a_launch_a_handful(
    client: FlaskClient, citizen: Callable[..., Any], admin: dict[str, str], count_queries: Callable[[], Any]
) -> None:
    client.put(f"{STAFF}/hosts", json={"host": "water.example.cn", "note": "水务"}, headers=admin)
    aim(client, admin, "T01", kind="PLAIN", address="https://water.example.cn/")
    with count_queries() as queries:
        client.get(URL)
    assert len(queries) <= 2
    _, headers = citizen(level=2)
    client.get("/api/v1/account", headers=headers)
    with count_queries() as queries:
        assert launch(client, headers).status_code == 200
    assert len(queries) <= 5
