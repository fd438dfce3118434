"""WeChat: codes once, one stable token, a phone number, messages only with consent and within the rules (1.2 to 1.5)."""

from __future__ import annotations

import base64
import re

import pytest
import requests

from tests.sandbox.partners import WeChat
from tests.sandbox_client import Sandbox

DATA = {
    "thing1": "不动产转移登记",
    "character_string2": "NBYS20261124000017",
    "phrase3": "预审通过",
    "time4": "2026年11月24日 09:30",
    "thing5": "请按时到窗口办理",
}


@pytest.fixture
def wechat(sandbox: Sandbox) -> WeChat:
    return WeChat(sandbox)


def login_code(wechat: WeChat, persona: str = "zhang-wei") -> str:
    return str(wechat.sandbox.post("wechat/login-code", persona=persona)["code"])


def message(wechat: WeChat, **over: object) -> dict[str, object]:
    person = next(p for p in wechat.sandbox.get("personas.json")["personas"] if p["key"] == "zhang-wei")
    template = wechat.ours["template_ids"]["CASE_PROGRESS"]
    data = {key: {"value": value} for key, value in DATA.items()}
    return {"touser": person["openid"], "template_id": template, "page": "pages/case", "data": data, **over}


def send(wechat: WeChat, **over: object) -> dict[str, object]:
    return wechat.call("cgi-bin/message/subscribe/send", message(wechat, **over))


def test_a_login_code_works_once(wechat: WeChat) -> None:
    code = login_code(wechat)
    first = wechat.login(code)
    assert first["openid"].startswith("o") and first["unionid"]
    assert len(base64.b64decode(first["session_key"])) == 16
    second = wechat.login(code)
    assert second["errcode"] == 40163
    assert re.search(r" rid: \w+-\w+-\w+$", second["errmsg"])


def test_every_login_has_a_session_key_of_its_own(wechat: WeChat) -> None:
    one, two = wechat.login(login_code(wechat)), wechat.login(login_code(wechat))
    assert one["openid"] == two["openid"]
    assert one["session_key"] != two["session_key"]


@pytest.mark.parametrize(
    ("over", "errcode"),
    [({"appid": "wx0"}, 40013), ({"secret": "wrong"}, 40125), ({"js_code": "never-issued"}, 40029),
     ({"js_code": ""}, 41008), ({"grant_type": "x"}, 40002)],
)  # fmt: skip
def test_login_refusals_leave_the_code_usable(wechat: WeChat, over: dict[str, str], errcode: int) -> None:
    code = login_code(wechat)
    assert wechat.login(code, **over)["errcode"] == errcode
    assert "openid" in wechat.login(code)


def test_a_phone_code_is_no_login_code_and_the_other_way_round(wechat: WeChat) -> None:
    phone_code = wechat.sandbox.post("wechat/phone-code", persona="zhang-wei")["code"]
    assert wechat.login(phone_code)["errcode"] == 40029
    assert wechat.call("wxa/business/getuserphonenumber", {"code": login_code(wechat)})["errcode"] == 40029


def test_a_user_of_high_risk_is_blocked(wechat: WeChat) -> None:
    assert wechat.login(login_code(wechat, "blocked"))["errcode"] == 40226


def test_the_stable_token_stays_the_same_until_forced(wechat: WeChat) -> None:
    first = wechat.token()
    assert 300 <= first["expires_in"] <= 7200
    assert wechat.token()["access_token"] == first["access_token"]
    forced = wechat.token(force_refresh=True)
    assert forced["access_token"] != first["access_token"]
    # A second forced refresh within 30 seconds doesn't refresh.
    assert wechat.token(force_refresh=True)["access_token"] == forced["access_token"]
    body = {"code": "x"}
    assert wechat.call("wxa/business/getuserphonenumber", body, first["access_token"])["errcode"] == 42001
    assert wechat.call("wxa/business/getuserphonenumber", body, forced["access_token"])["errcode"] == 40029


def test_token_refusals(wechat: WeChat) -> None:
    assert wechat.token(secret="wrong")["errcode"] == 40125
    assert wechat.token(appid="wx0")["errcode"] == 40013
    assert wechat.token(grant_type="x")["errcode"] == 40002
    assert wechat.call("wxa/business/getuserphonenumber", {"code": "x"}, "never-issued")["errcode"] == 40001
    url = f"{wechat.sandbox.url}/wechat/wxa/business/getuserphonenumber"
    assert requests.post(url, json={"code": "x"}, timeout=5).json()["errcode"] == 41001


def test_a_phone_code_gives_the_number_once(wechat: WeChat) -> None:
    code = wechat.sandbox.post("wechat/phone-code", persona="zhang-wei")["code"]
    found = wechat.call("wxa/business/getuserphonenumber", {"code": code})
    assert found["errcode"] == 0
    info = found["phone_info"]
    assert (info["purePhoneNumber"], info["countryCode"]) == ("19900000001", 86)
    assert info["watermark"]["appid"] == wechat.ours["app_id"]
    assert wechat.call("wxa/business/getuserphonenumber", {"code": code})["errcode"] == 40029


def test_messages_need_consent_and_use_it_up(wechat: WeChat) -> None:
    assert send(wechat)["errcode"] == 43101
    left = wechat.sandbox.post("wechat/consent", persona="zhang-wei", template="CASE_PROGRESS", times=2)["remaining"]
    assert left == {"CASE_PROGRESS": 2}
    sent = [send(wechat) for _ in range(3)]
    assert [answer["errcode"] for answer in sent] == [0, 0, 43101]
    assert sent[0]["msgid"] != sent[1]["msgid"]
    newest = wechat.sandbox.get("outbox.json", persona="zhang-wei")["messages"][0]
    assert newest["channel"] == "wechat"
    assert newest["reference"] == str(sent[1]["msgid"])
    assert "不动产转移登记" in newest["text"]


@pytest.mark.parametrize(
    ("over", "errcode"),
    [({"touser": "oNobody"}, 40003), ({"template_id": "none"}, 40037), ({"data": {}}, 47003), ({"data": "x"}, 47003)],
)
def test_message_refusals_use_no_consent_up(wechat: WeChat, over: dict[str, object], errcode: int) -> None:
    wechat.sandbox.post("wechat/consent", persona="zhang-wei")
    assert send(wechat, **over)["errcode"] == errcode
    assert send(wechat)["errcode"] == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [("thing1", "字" * 21), ("thing1", ""), ("thing1", "两\n行"), ("character_string2", "含汉字"),
     ("character_string2", "9" * 33), ("phrase3", "六个汉字状态"), ("phrase3", "passed"), ("time4", "明天上午"),
     ("time4", "2026-11-24T09:30")],
)  # fmt: skip
def test_values_that_break_a_rule_are_named(wechat: WeChat, key: str, value: str) -> None:
    wechat.sandbox.post("wechat/consent", persona="zhang-wei")
    answer = send(wechat, data={name: {"value": value if name == key else good} for name, good in DATA.items()})
    assert answer["errcode"] == 47003
    assert f"data.{key}.value" in str(answer["errmsg"])


@pytest.mark.parametrize(
    "value",
    ["09:30", "2019年10月1日", "2019年10月1日 15:01", "2019-10-01 15:01", "2019年10月1日~2019年10月7日", "9:00~10:30"],
)
def test_times_in_every_documented_form(wechat: WeChat, value: str) -> None:
    wechat.sandbox.post("wechat/consent", persona="zhang-wei")
    answer = send(wechat, data={name: {"value": value if name == "time4" else good} for name, good in DATA.items()})
    assert answer["errcode"] == 0


def test_bodies_that_are_no_json(wechat: WeChat) -> None:
    token = wechat.token()["access_token"]
    url = f"{wechat.sandbox.url}/wechat/cgi-bin/message/subscribe/send?access_token={token}"
    assert requests.post(url, data=b"{", timeout=5).json()["errcode"] == 47001
    assert requests.post(url, timeout=5).json()["errcode"] == 44002
