"""wechatpy's client at the points where ours differs (PROTOCOLS 1.12), against the sandbox."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core import cache
from core.ports import PartnerRefused, PartnerUnavailable
from core.settings import Settings
from partners.http import NotReached
from partners.wechat.access_token import AccessToken
from partners.wechat.client import MiniProgramClient
from tests.sandbox_client import Sandbox, free_port


@pytest.fixture
def client(settings: Settings, sandbox: Sandbox) -> MiniProgramClient:
    return MiniProgramClient(settings.wechat)


def _calls(sandbox: Sandbox, path: str) -> list[dict[str, Any]]:
    return [call for call in sandbox.get("calls.json", partner="wechat")["calls"] if path in call["path"]]


def _phone_code(sandbox: Sandbox) -> str:
    return str(sandbox.post("wechat/phone-code", persona="zhang-wei")["code"])


def test_signing_in_needs_no_access_token(client: MiniProgramClient, sandbox: Sandbox) -> None:
    code = sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    assert client.code_to_session(code)["openid"].startswith("oNB")
    assert _calls(sandbox, "token") == []
    assert "access_token" not in _calls(sandbox, "jscode2session")[0]["fields"]


def test_one_stable_token_for_all_processes(client: MiniProgramClient, settings: Settings, sandbox: Sandbox) -> None:
    tokens = {client.access_token, MiniProgramClient(settings.wechat).access_token, client.access_token}
    assert len(tokens) == 1
    assert [call["path"] for call in _calls(sandbox, "token")] == ["/wechat/cgi-bin/stable_token"]


def test_a_crowd_asks_once(settings: Settings, sandbox: Sandbox) -> None:
    clients = [MiniProgramClient(settings.wechat) for _ in range(8)]
    sandbox.fault("wechat", "latency", value=0.3, path="stable_token")
    threads = [threading.Thread(target=lambda each=each: each.access_token) for each in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_calls(sandbox, "token")) == 1
    assert len({each.access_token for each in clients}) == 1


def test_the_token_lies_encrypted_in_redis(client: MiniProgramClient) -> None:
    token = client.access_token
    kept = {key: cache.client().get(key) for key in cache.client().scan_iter("wechat:*")}
    assert len(kept) == 1
    assert not any(token in str(value) for value in kept.values())


def test_without_redis_each_process_keeps_the_token_itself(settings: Settings, sandbox: Sandbox) -> None:
    cache.configure(f"redis://127.0.0.1:{free_port()}/0")
    try:
        client = MiniProgramClient(settings.wechat)
        assert client.phone_number(_phone_code(sandbox))["purePhoneNumber"] == "19900000001"
        assert client.access_token == MiniProgramClient(settings.wechat).access_token
        client.phone_number(_phone_code(sandbox))
    finally:
        cache.configure(settings.redis_url)
    assert len(_calls(sandbox, "token")) == 2


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_refused_token_is_renewed_once(client: MiniProgramClient, sandbox: Sandbox, errcode: int) -> None:
    sandbox.fault("wechat", "error", value=errcode, path="getuserphonenumber")
    assert client.phone_number(_phone_code(sandbox))["purePhoneNumber"] == "19900000001"
    assert len(_calls(sandbox, "getuserphonenumber")) == 2
    assert len(_calls(sandbox, "token")) == 2


def test_a_token_that_is_refused_for_ever_ends_after_two_calls(client: MiniProgramClient, sandbox: Sandbox) -> None:
    """wechatpy itself would go on until the stack is full: 974 requests were counted (PROTOCOLS 1.12)."""
    sandbox.fault("wechat", "error", times=50, value=40001, path="getuserphonenumber")
    with pytest.raises(PartnerUnavailable):
        client.phone_number(_phone_code(sandbox))
    assert len(_calls(sandbox, "getuserphonenumber")) == 2


def test_a_token_renewed_by_another_is_taken_over(sandbox: Sandbox, settings: Settings) -> None:
    """A process that kept an old copy takes the token that another put into Redis, without asking WeChat."""
    asked: list[str] = []

    def asking(token: str) -> Callable[[], tuple[str, int]]:
        def ask() -> tuple[str, int]:
            asked.append(token)
            return token, 7200

        return ask

    slow, quick = AccessToken("wx1", asking("old")), AccessToken("wx1", asking("new"))
    assert slow.get() == "old"
    assert quick.renew("old") == "new"
    assert slow.get() == "old"
    assert slow.renew("old") == "new"
    assert asked == ["old", "new"]


def test_a_token_is_not_used_beyond_its_life(sandbox: Sandbox) -> None:
    lives = iter([("first", 61), ("second", 7200)])
    token = AccessToken("wx2", lambda: next(lives))
    assert token.get() == "first"
    time.sleep(1.1)
    assert token.get() == "second"


@pytest.mark.parametrize("errcode", [-1, 45009, 45011, 40013, 40125, 48001])
def test_what_may_pass_or_is_our_fault_is_not_a_refusal(
    client: MiniProgramClient, sandbox: Sandbox, errcode: int
) -> None:
    sandbox.fault("wechat", "error", value=errcode, path="jscode2session")
    with pytest.raises(PartnerUnavailable):
        client.code_to_session("x")


def test_a_refusal_carries_the_errcode(client: MiniProgramClient) -> None:
    with pytest.raises(PartnerRefused) as caught:
        client.code_to_session("made-up")
    assert caught.value.code == "40029"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "garbage"},
        {"kind": "error", "value": 502},
        {"kind": "drop_response_after_effect"},
        {"kind": "timeout", "value": 0.1},
    ],
)
def test_an_unreadable_answer_is_unknown(client: MiniProgramClient, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    code = _phone_code(sandbox)
    assert client.access_token
    sandbox.fault("wechat", path="getuserphonenumber", **fault)
    with pytest.raises(PartnerUnavailable) as caught:
        client.phone_number(code)
    assert not isinstance(caught.value, NotReached)
    assert len(_calls(sandbox, "getuserphonenumber")) <= 1, "an unknown outcome is not asked for again"


@pytest.mark.parametrize("value", [503, 40125, -1])
def test_without_a_token_the_call_is_not_made(client: MiniProgramClient, sandbox: Sandbox, value: int) -> None:
    sandbox.fault("wechat", "error", value=value, path="stable_token")
    with pytest.raises(NotReached):
        client.phone_number(_phone_code(sandbox))
    assert _calls(sandbox, "getuserphonenumber") == []


def test_the_port_of_the_address_counts(settings: Settings, sandbox: Sandbox) -> None:
    closed = replace(settings.wechat, api_url=f"http://127.0.0.1:{free_port()}/wechat")
    with pytest.raises(NotReached):
        MiniProgramClient(closed).code_to_session("x")
