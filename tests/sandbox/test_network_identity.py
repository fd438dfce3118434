"""The network identity service: signed both ways, one check a request, the app a browser can use."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
import requests

from sandbox.personas import People
from sandbox.signed import signature
from tests.sandbox_client import Sandbox


class Service:
    """The service as a product calls it, written from its contract."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url, self.ours = f"{sandbox.url}/network-identity", sandbox.credentials["network-identity"]

    def post(self, path: str, body: object, **over: str) -> requests.Response:
        raw = json.dumps(body, ensure_ascii=False).encode()
        timestamp, nonce = over.get("X-Timestamp", str(int(time.time()))), over.get("X-Nonce", uuid.uuid4().hex)
        headers = {
            "Content-Type": "application/json",
            "X-Key-Id": self.ours["key_id"],
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": signature(self.ours["secret"], timestamp, nonce, raw),
            **over,
        }
        return requests.post(f"{self.url}/v1/{path}", data=raw, headers=headers, timeout=5)

    def begin(self, key: str = "zhang-wei", **over: str) -> dict[str, Any]:
        person = People().get(key)
        body = {
            "request_id": uuid.uuid4().hex, "name": person.name, "document_type": person.document_type,
            "document_number": person.document_number, "grade": "HIGH", "purpose": "",
            "return_url": "http://localhost/back", **over,
        }  # fmt: skip
        answer = self.post("challenges", body)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def service(sandbox: Sandbox) -> Service:
    return Service(sandbox)


def test_answers_are_signed_over_the_request_s_nonce(service: Service) -> None:
    nonce = uuid.uuid4().hex
    answer = service.post("results", {"challenge": "none", "token": ""}, **{"X-Nonce": nonce})
    assert (answer.status_code, answer.json()) == (404, {"error": "unknown"})
    stamp = answer.headers["X-Timestamp"]
    assert answer.headers["X-Signature"] == signature(service.ours["secret"], stamp, nonce, answer.content)


@pytest.mark.parametrize("path", ["challenges", "results"])
def test_forged_stale_and_replayed_requests_are_refused(service: Service, path: str) -> None:
    assert service.post(path, {}, **{"X-Signature": "0" * 64}).status_code == 401
    assert service.post(path, {}, **{"X-Key-Id": "NI0"}).status_code == 401
    assert service.post(path, {}, **{"X-Timestamp": str(int(time.time()) - 301)}).status_code == 401
    nonce = uuid.uuid4().hex
    assert [service.post(path, {}, **{"X-Nonce": nonce}).status_code for _ in range(2)] == [400, 409]


def test_a_persona_acts_in_the_app(service: Service, sandbox: Sandbox) -> None:
    begun = service.begin(grade="PIN", purpose="SIGN")
    page = requests.get(begun["url"], timeout=5)
    assert (page.status_code, "SIGN" in page.text) == (200, True)
    wrong = requests.post(begun["url"], data={"persona": "zhang-wei", "act": "confirm", "pin": "1"}, timeout=5)
    assert "还可以试 2 次" in wrong.text
    done = requests.post(
        begun["url"], data={"persona": "zhang-wei", "act": "confirm", "pin": "123456"}, timeout=5, allow_redirects=False
    )
    token = done.headers["Location"].rsplit("token=", 1)[1]
    result = service.post("results", {"challenge": begun["challenge"], "token": token}).json()
    assert (result["result"], result["grade"], result["purpose"]) == ("PASS", "PIN", "SIGN")
    assert requests.get(f"{service.url}/app/none", timeout=5).status_code == 404


def test_only_a_review_is_decided(service: Service, sandbox: Sandbox) -> None:
    begun = service.begin("review")
    made = sandbox.post("network-identity/act", challenge=begun["challenge"], persona="review")
    assert made["result"] == "REVIEW"
    asked = {"challenge": begun["challenge"], "token": made["token"]}
    assert service.post("results", asked).json()["result"] == "REVIEW"
    sandbox.post("network-identity/decide", challenge=begun["challenge"], result="MISMATCH")
    assert service.post("results", asked | {"token": ""}).json()["result"] == "MISMATCH"
    with pytest.raises(requests.HTTPError):
        sandbox.post("network-identity/decide", challenge=begun["challenge"], result="PASS")


def test_the_source_s_signals_and_outcomes_are_controlled(sandbox: Sandbox) -> None:
    with pytest.raises(requests.HTTPError):
        sandbox.post("identity-authority/signal", persona="old", kind="RAIN")
    with pytest.raises(requests.HTTPError):
        sandbox.post("identity-authority/outcome", persona="old", outcome="MAYBE")
    assert sandbox.post("identity-authority/signal", persona="old", kind="DEATH", signal_id="S1") == {"signal_id": "S1"}
