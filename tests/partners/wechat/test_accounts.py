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


# The older form: sealed with the session key --------------------------------------------------------------------------


def test_a_sealed_phone_opens_with_its_own_sign_in(accounts: WeChatMiniProgramAccounts, sandbox: Sandbox) -> None:
    sealed = sandbox.post("wechat/sealed-phone", persona="zhang-wei")
    identity, phone = accounts.exchange_sealed_phone(sealed["code"], sealed["encryptedData"], sealed["iv"])
    person = _persona(sandbox, "zhang-wei")
    assert (identity.openid, phone.number_e164) == (person["openid"], "+86" + person["phone"])
    with pytest.raises(LoginCodeInvalid):
        accounts.exchange_sealed_phone(sealed["code"], sealed["encryptedData"], sealed["iv"])


def test_a_number_of_hong_kong(accounts: WeChatMiniProgramAccounts, sandbox: Sandbox) -> None:
    sealed = sandbox.post("wechat/sealed-phone", persona="zhang-wei", country_code="852", number="91234567")
    _, phone = accounts.exchange_sealed_phone(sealed["code"], sealed["encryptedData"], sealed["iv"])
    assert phone.number_e164 == "+85291234567"


@pytest.mark.parametrize(
    "wrong", [{"age": 301}, {"age": -330}, {"app_id": "wx0000000000000000"}, {"app_id": None}, {"age": 86_400}]
)
def test_of_another_app_or_too_old_it_is_refused(
    accounts: WeChatMiniProgramAccounts, sandbox: Sandbox, wrong: dict[str, object]
) -> None:
    sealed = sandbox.post("wechat/sealed-phone", persona="zhang-wei", **wrong)
    with pytest.raises(LoginCodeInvalid):
        accounts.exchange_sealed_phone(sealed["code"], sealed["encryptedData"], sealed["iv"])


def test_another_sign_ins_key_does_not_open_it(accounts: WeChatMiniProgramAccounts, sandbox: Sandbox) -> None:
    """A person's own old blob, or another person's: the key of this sign-in is another one."""
    sealed = sandbox.post("wechat/sealed-phone", persona="li-na")
    code = sandbox.post("wechat/login-code", persona="zhang-wei")["code"]
    with pytest.raises(LoginCodeInvalid):
        accounts.exchange_sealed_phone(code, sealed["encryptedData"], sealed["iv"])


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
