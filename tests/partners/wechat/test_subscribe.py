"""Subscribe messages against the sandbox, which checks every value by WeChat's rules (PROTOCOLS 1.5)."""

import json
from dataclasses import replace
from datetime import datetime

import pytest

from core.clock import SHANGHAI
from core.ports import PartnerUnavailable
from core.settings import Settings
from notifications.channels.ports import NotSent, Wechat
from notifications.templates import queries
from notifications.templates.rules import display_fields, render
from partners.wechat.client import MiniProgramClient
from partners.wechat.subscribe import WeChatSubscribeMessages
from tests.sandbox_client import Sandbox, free_port

OPENID = "oNBsandboxzhang_wei000000000"
VALUES = {
    "thing1": "存量房转移登记",
    "character_string2": "NB2611240000010",
    "phrase3": "预审通过",
    "time4": "2026年11月24日 15:01",
    "thing5": "",
}


@pytest.fixture
def messages(settings: Settings, sandbox: Sandbox) -> WeChatSubscribeMessages:
    return WeChatSubscribeMessages(MiniProgramClient(settings.wechat), settings.wechat.template_ids)


def _allow(sandbox: Sandbox, times: int = 1) -> None:
    sandbox.post("wechat/consent", persona="zhang-wei", times=times)


def test_one_consent_sends_one_message(messages: WeChatSubscribeMessages, sandbox: Sandbox) -> None:
    _allow(sandbox)
    first = messages.send(openid=OPENID, group="CASE_PROGRESS", page="pages/message/index?id=1", values=VALUES)
    assert first.outcome is Wechat.SENT
    assert first.reference.isdigit()
    sent = sandbox.get("outbox.json", openid=OPENID)["messages"]
    assert len(sent) == 1
    assert "预审通过" in sent[0]["text"]
    # Real UTF-8 on the wire: escapes would show up literally on the phone (PROTOCOLS 1.1).
    assert "\\u" not in sent[0]["text"]
    second = messages.send(openid=OPENID, group="CASE_PROGRESS", page="p", values=VALUES)
    assert second.outcome is Wechat.NO_CONSENT


@pytest.mark.parametrize("entry", [e for e in queries.all_templates().values() if e.subscription], ids=lambda e: e.code)
def test_wechat_takes_every_template_of_ours(messages: WeChatSubscribeMessages, sandbox: Sandbox, entry) -> None:  # type: ignore[no-untyped-def]
    _allow(sandbox)
    given = {
        "matter": "国有建设用地使用权及房屋所有权转移登记（存量房买卖，带抵押）",
        "number": "NB2611240000010",
        "when": "2026-12-05 09:00",
        "where": "宁波市行政服务中心二楼不动产登记专区3号窗口",
        "amount": "80.00",
    }
    fields = display_fields(given, sensitive=False, at=datetime(2026, 11, 24, 9, tzinfo=SHANGHAI), english=False)
    values = {key: render(text, fields, nothing="") for key, text in entry.subscription.values.items()}
    answer = messages.send(openid=OPENID, group=entry.subscription.group, page="p", values=values)
    assert answer.outcome is Wechat.SENT


def test_a_value_that_cannot_be_mended_is_not_sent(messages: WeChatSubscribeMessages, sandbox: Sandbox) -> None:
    _allow(sandbox)
    answer = messages.send(openid=OPENID, group="CASE_PROGRESS", page="p", values={**VALUES, "time4": "明天"})
    assert answer.outcome is Wechat.REJECTED
    assert sandbox.get("calls.json", partner="wechat")["calls"] == []


def test_refusals_in_our_words(messages: WeChatSubscribeMessages, sandbox: Sandbox) -> None:
    _allow(sandbox)
    assert messages.send(openid="o-nobody", group="CASE_PROGRESS", page="p", values=VALUES).reason == "OPENID_UNKNOWN"
    missing = {key: value for key, value in VALUES.items() if key != "thing1"}
    assert messages.send(openid=OPENID, group="CASE_PROGRESS", page="p", values=missing).reason == "VALUE_REFUSED"
    sandbox.fault("wechat", "error", value=40037, path="subscribe/send")
    assert messages.send(openid=OPENID, group="CASE_PROGRESS", page="p", values=VALUES).reason == "TEMPLATE_UNKNOWN"


def test_only_registered_groups_are_offered(messages: WeChatSubscribeMessages) -> None:
    assert messages.offers("DELIVERY")
    assert not messages.offers("TICKET")


def test_what_is_known_when_wechat_is_away(
    messages: WeChatSubscribeMessages, settings: Settings, sandbox: Sandbox
) -> None:
    _allow(sandbox)
    sandbox.fault("wechat", "drop_response_after_effect", path="subscribe/send")
    with pytest.raises(PartnerUnavailable) as unknown:
        messages.send(openid=OPENID, group="CASE_PROGRESS", page="p", values=VALUES)
    assert not isinstance(unknown.value, NotSent)
    closed = replace(settings.wechat, api_url=f"http://127.0.0.1:{free_port()}")
    away = WeChatSubscribeMessages(MiniProgramClient(closed), settings.wechat.template_ids)
    with pytest.raises(NotSent) as kept_out:
        away.send(openid=OPENID, group="CASE_PROGRESS", page="p", values=VALUES)
    assert not kept_out.value.reached


def test_the_version_of_the_mini_program_is_told(settings: Settings, sandbox: Sandbox) -> None:
    _allow(sandbox)
    trial = WeChatSubscribeMessages(MiniProgramClient(settings.wechat), settings.wechat.template_ids, "trial")
    trial.send(openid=OPENID, group="CASE_PROGRESS", page="p", values=VALUES)
    call = next(c for c in sandbox.get("calls.json", partner="wechat")["calls"] if "subscribe/send" in c["path"])
    assert json.loads(call["fields"]["json"])["miniprogram_state"] == "trial"
