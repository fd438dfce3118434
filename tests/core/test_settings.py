"""The environment is read once, strictly, and every fault is told at once."""

from pathlib import Path

import pytest

from core.settings import SettingsError, load
from tests.environment import environment

GOOD = environment("postgresql://u:p@127.0.0.1:5432/d", "redis://127.0.0.1:6379", {})
PRODUCTION = {
    **GOOD,
    "ENV": "production",
    "PUBLIC_URL": "https://zw.ningbo.example",
    "WECHAT_API_URL": "https://api.weixin.example",
    "ALIPAY_GATEWAY_URL": "https://openapi.alipay.example/gateway.do",
    "ALIPAY_OAUTH_URL": "https://openauth.alipay.example/oauth2/publicAppAuthorize.htm",
    "IDENTITY_AUTHORITY_URL": "https://identity.example",
    "NETWORK_IDENTITY_URL": "https://network-identity.example",
    "MARKET_REGISTRY_URL": "https://market.example",
    "HOUSEHOLD_REGISTRY_URL": "https://household.example",
    "ALIYUN_SMS_URL": "https://sms.example",
    "KUAIDI100_POLL_URL": "https://poll.example",
    "KUAIDI100_ORDER_URL": "https://order.example",
}


def test_a_complete_environment_loads() -> None:
    settings = load(GOOD)
    assert settings.database_url == "postgresql+psycopg://u:p@127.0.0.1:5432/d"
    assert settings.crypto.field_cipher == "AES-256-GCM"
    assert settings.clock_shift_file is None


def test_all_faults_are_told_at_once() -> None:
    broken = {**GOOD, "LOOKUP_KEY": "short", "REDIS_URL": "", "TOKEN_PRIVATE_KEY": "not pem"}
    with pytest.raises(SettingsError) as caught:
        load(broken)
    told = str(caught.value)
    assert "REDIS_URL is missing" in told
    assert "LOOKUP_KEY" in told
    assert "TOKEN_PRIVATE_KEY" in told


def test_no_secret_has_a_default() -> None:
    with pytest.raises(SettingsError) as caught:
        load({})
    for name in ("FIELD_KEYS", "LOOKUP_KEY", "TOKEN_PRIVATE_KEY", "LINK_KEY", "NUMBER_KEY", "METRICS_TOKEN",
                 "CALLBACK_PATH_SECRET", "WECHAT_APP_SECRET", "ALIPAY_APP_PRIVATE_KEY", "KUAIDI100_SECRET"):  # fmt: skip
        assert f"{name} is missing" in caught.value.faults


def test_the_active_key_must_exist() -> None:
    with pytest.raises(SettingsError, match="FIELD_KEY_ACTIVE"):
        load({**GOOD, "FIELD_KEY_ACTIVE": "k9"})


def test_production_accepts_real_addresses_only() -> None:
    assert load(PRODUCTION).environment == "production"
    for name in ("WECHAT_API_URL", "ALIPAY_GATEWAY_URL", "IDENTITY_AUTHORITY_URL", "ALIYUN_SMS_URL",
                 "KUAIDI100_POLL_URL", "KUAIDI100_ORDER_URL"):  # fmt: skip
        for sandbox in ("http://127.0.0.1:9100/x", "https://localhost:9100/x", "http://partner.example"):
            with pytest.raises(SettingsError, match=name):
                load({**PRODUCTION, name: sandbox})


def test_production_refuses_a_shifted_clock(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CLOCK_SHIFT_FILE"):
        load({**PRODUCTION, "CLOCK_SHIFT_FILE": str(tmp_path / "shift")})


def test_production_is_the_default() -> None:
    without = {name: value for name, value in PRODUCTION.items() if name != "ENV"}
    assert load(without).environment == "production"


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(load(GOOD))
    secret = [
        name for name in GOOD if any(word in name for word in ("SECRET", "KEY", "TOKEN")) and not name.endswith("_ID")
    ]
    assert [name for name in secret if GOOD[name] in shown and len(GOOD[name]) > 3 and "ACTIVE" not in name] == []
    assert "postgresql" not in shown


def test_the_second_sender_of_short_messages_is_all_or_nothing() -> None:
    assert load(GOOD).tencent_sms is None
    with pytest.raises(SettingsError) as caught:
        load({**GOOD, "TENCENT_SMS_URL": "https://sms.tencent.example"})
    for name in ("SECRET_ID", "SECRET_KEY", "SDK_APP_ID", "SIGN_NAME"):
        assert f"TENCENT_SMS_{name} is missing" in str(caught.value)


@pytest.mark.parametrize("wrong", ["short", "A" * 42, "A" * 44, "!" * 43])
def test_the_key_of_wechats_push_is_checked(wrong: str) -> None:
    with pytest.raises(SettingsError, match="WECHAT_PUSH_AES_KEY"):
        load({**GOOD, "WECHAT_PUSH_AES_KEY": wrong})


def test_where_browsers_may_be_sent_back_to() -> None:
    assert load(GOOD).login_return_urls == frozenset()
    two = "nbzw://login/done https://app.ningbo.example/open"
    assert load({**GOOD, "LOGIN_RETURN_URLS": two}).login_return_urls == frozenset(two.split())
    for wrong in ("/path", "nbzw:done", "https://app.ningbo.example/open?x=1"):
        with pytest.raises(SettingsError, match="LOGIN_RETURN_URLS"):
            load({**GOOD, "LOGIN_RETURN_URLS": wrong})
