"""Codes of `wx.login` and `getPhoneNumber` against the sandbox (PROTOCOLS 1.2, 1.4)."""

import pytest

from auth.accounts.errors import LoginCodeInvalid
from core.ports import PartnerUnavailable
from core.settings import Settings
from partners.wechat.accounts import WeChatMiniProgramAccounts
from partners.wechat.client import MiniProgramClient
from tests.sandbox_client import Sandbox


@pytest.fixture
def accounts(settings: Settings, sandbox: Sandbox) -> WeChatMiniProgramAccounts:
    return WeChatMiniProgramAccounts(MiniProgramClient(settings.wechat))


def _persona(sandbox: Sandbox, key: str) -> dict[str, str]:
    return next(person for person in sandbox.get("personas.json")["personas"] if person["key"] == key)


def test_a_login_code_gives_the_person_and_no_session_key(
    accounts: WeChatMiniProgramAccounts, sandbox: Sandbox
) -> None:
    person = _persona(sandbox, "zhang-wei")
    identity = accounts.exchange_login_code(sandbox.post("wechat/login-code", persona="zhang-wei")["code"])
    assert (identity.openid, identity.unionid) == (person["openid"], person["unionid"])
    assert "session_key" not in repr(identity)


def test_a_login_code_counts_once(accounts: WeChatMiniProgramAccounts, sandbox: Sandbox) -> None:
    code = sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    accounts.exchange_login_code(code)
    with pytest.raises(LoginCodeInvalid):
        accounts.exchange_login_code(code)


def test_a_code_is_never_sent_twice(accounts: WeChatMiniProgramAccounts, sandbox: Sandbox) -> None:
    """The answer is lost: asking again would only give 40163 and hide what happened."""
    code = sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    sandbox.fault("wechat", "drop_response_after_effect", path="jscode2session")
    with pytest.raises(PartnerUnavailable):
        accounts.exchange_login_code(code)
    calls = [call for call in sandbox.get("calls.json", partner="wechat")["calls"] if "jscode2session" in call["path"]]
    assert len(calls) == 1


@pytest.mark.parametrize("errcode", [40029, 40163, 40226])
def test_codes_that_are_refused(accounts: WeChatMiniProgramAccounts, sandbox: Sandbox, errcode: int) -> None:
    sandbox.fault("wechat", "error", value=errcode, path="jscode2session")
    with pytest.raises(LoginCodeInvalid):
        accounts.exchange_login_code("any")


def test_a_phone_code_gives_the_number(accounts: WeChatMiniProgramAccounts, sandbox: Sandbox) -> None:
    """The sandbox sends countryCode as a number, as the documented sample does."""
    code = sandbox.post("wechat/phone-code", persona="zhang-wei")["code"]
    assert accounts.exchange_phone_code(code).number_e164 == "+86" + _persona(sandbox, "zhang-wei")["phone"]
    with pytest.raises(LoginCodeInvalid):
        accounts.exchange_phone_code(code)


def test_a_login_code_is_no_phone_code(accounts: WeChatMiniProgramAccounts, sandbox: Sandbox) -> None:
    code = sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    with pytest.raises(LoginCodeInvalid):
        accounts.exchange_phone_code(code)
