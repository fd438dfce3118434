"""The phone's side of signing a computer in, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from auth.factors.scan import rules, service
from auth.factors.scan.rules import State

URL = "/api/v1/scan-sign-ins"
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"


def offered(address: str = "127.0.0.1") -> dict[str, str]:
    made = service.offer(browser="b", site_zh="不动产网", site_en="Property", device=AGENT, address=address)
    return {"scanned": "http://localhost" + rules.PATH + made.code}


def state(scanned: dict[str, str]) -> State:
    return service.collect(browser="b", code=scanned["scanned"].rsplit("/", 1)[1]).state


def test_look_then_confirm(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=1)
    scanned = offered()
    answer = client.post(f"{URL}/look-up", json=scanned, headers=headers)
    body = answer.get_json()
    assert answer.status_code == 200
    assert (body["site"], body["device"], body["same_network"]) == (
        "不动产网",
        "Windows 电脑 · Chrome 浏览器 · 网页",
        True,
    )
    assert body["place"] == "本机"
    assert body["asked_at"].endswith("+08:00")
    assert client.post(f"{URL}/confirm", json=scanned, headers=headers).status_code == 204
    assert state(scanned) is State.CONFIRMED


def test_english_and_another_network(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=1)
    headers = {**headers, "Accept-Language": "en"}
    body = client.post(f"{URL}/look-up", json=offered("183.136.4.5"), headers=headers).get_json()
    assert (body["site"], body["place"], body["same_network"]) == ("Property", "the internet, 183.136.*.*", False)
    assert "Windows computer" in body["device"]


def test_look_then_refuse(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=1)
    scanned = offered()
    client.post(f"{URL}/look-up", json=scanned, headers=headers)
    assert client.post(f"{URL}/refuse", json=scanned, headers=headers).status_code == 204
    assert state(scanned) is State.REFUSED
    again = client.post(f"{URL}/confirm", json=scanned, headers=headers)
    assert (again.status_code, again.get_json()["code"]) == (404, "SCAN_CODE_INVALID")


@pytest.mark.parametrize("act", ["look-up", "confirm", "refuse"])
def test_who_may(client: FlaskClient, citizen: Callable[..., Any], act: str) -> None:
    assert client.post(f"{URL}/{act}", json=offered()).status_code == 401
    _, headers = citizen(level=0)
    answer = client.post(f"{URL}/{act}", json=offered(), headers=headers)
    assert answer.get_json()["code"] == "AUTH_LEVEL_TOO_LOW"


def test_unknown_and_foreign_look_the_same(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=1)
    _, others = citizen(level=1)
    scanned = offered()
    client.post(f"{URL}/look-up", json=scanned, headers=headers)
    same = {**others, "X-Request-Id": "same-for-both"}
    foreign = client.post(f"{URL}/look-up", json=scanned, headers=same)
    unknown = client.post(f"{URL}/look-up", json={"scanned": "http://localhost/oidc/scan/" + "x" * 32}, headers=same)
    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)


def test_looking_is_limited(client: FlaskClient, citizen: Callable[..., Any]) -> None:
    _, headers = citizen(level=1)
    codes = [
        client.post(f"{URL}/look-up", json={"scanned": "x" * 32}, headers=headers).status_code
        for _ in range(rules.LOOK_UPS_PER_PERSON.count + 1)
    ]
    assert codes[-1] == 429
    assert set(codes[:-1]) == {404}
