"""Each variable with its type and default, all faults told at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from core.settings.groups import (
    AlipaySettings,
    CryptoSettings,
    IdentityAuthoritySettings,
    Kuaidi100Settings,
    NetworkIdentitySettings,
    RegistrySettings,
    Settings,
    SmsSettings,
    TencentSmsSettings,
    WeChatSettings,
)
from core.settings.reading import (
    Reader,
    addresses,
    aes_key,
    database_url,
    key,
    keys,
    one_of,
    pem,
    secret,
    texts,
    url,
)

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class SettingsError(Exception):
    """The environment can't be used; the message lists every fault, one a line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings are not usable:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings from `environ` (default: the process environment). Raises `SettingsError` naming every fault."""
    read = Reader(os.environ if environ is None else environ)
    environment = read.get("ENV", one_of("development", "test", "production"), "production")
    settings = Settings(
        environment=environment,  # type: ignore[arg-type]  # checked by one_of
        public_url=read.get("PUBLIC_URL", url),
        database_url=read.get("DATABASE_URL", database_url),
        database_pool=read.get("DATABASE_POOL", int, "8"),
        redis_url=read.get("REDIS_URL", str),
        files_url=read.get("FILES_URL", str),
        crypto=CryptoSettings(
            field_keys=read.get("FIELD_KEYS", keys),
            field_key_active=read.get("FIELD_KEY_ACTIVE", str),
            field_cipher=read.get("FIELD_CIPHER", one_of("AES-256-GCM", "SM4-GCM"), "AES-256-GCM"),
            lookup_key=read.get("LOOKUP_KEY", key),
            lookup_hash=read.get("LOOKUP_HASH", one_of("HMAC-SHA-256", "HMAC-SM3"), "HMAC-SM3"),
            token_private_key=read.get("TOKEN_PRIVATE_KEY", pem),
            link_key=read.get("LINK_KEY", key),
            number_key=read.get("NUMBER_KEY", key),
        ),
        callback_path_secret=read.get("CALLBACK_PATH_SECRET", secret),
        metrics_token=read.get("METRICS_TOKEN", secret),
        wechat=WeChatSettings(
            api_url=read.get("WECHAT_API_URL", url),
            app_id=read.get("WECHAT_APP_ID", str),
            app_secret=read.get("WECHAT_APP_SECRET", secret),
            template_ids=read.get("WECHAT_TEMPLATE_IDS", texts, "{}"),
            push_token=read.get("WECHAT_PUSH_TOKEN", str),
            push_aes_key=read.get("WECHAT_PUSH_AES_KEY", aes_key),
        ),
        alipay=AlipaySettings(
            gateway_url=read.get("ALIPAY_GATEWAY_URL", url),
            oauth_url=read.get("ALIPAY_OAUTH_URL", url),
            app_id=read.get("ALIPAY_APP_ID", str),
            app_private_key=read.get("ALIPAY_APP_PRIVATE_KEY", pem),
            alipay_public_key=read.get("ALIPAY_PUBLIC_KEY", pem),
            seller_id=read.get("ALIPAY_SELLER_ID", str),
        ),
        identity_authority=IdentityAuthoritySettings(
            url=read.get("IDENTITY_AUTHORITY_URL", url),
            key_id=read.get("IDENTITY_AUTHORITY_KEY_ID", str),
            secret=read.get("IDENTITY_AUTHORITY_SECRET", secret),
        ),
        network_identity=NetworkIdentitySettings(
            url=read.get("NETWORK_IDENTITY_URL", url),
            key_id=read.get("NETWORK_IDENTITY_KEY_ID", str),
            secret=read.get("NETWORK_IDENTITY_SECRET", secret),
        ),
        market_registry=RegistrySettings(
            url=read.get("MARKET_REGISTRY_URL", url),
            key_id=read.get("MARKET_REGISTRY_KEY_ID", str),
            secret=read.get("MARKET_REGISTRY_SECRET", secret),
        ),
        household_registry=RegistrySettings(
            url=read.get("HOUSEHOLD_REGISTRY_URL", url),
            key_id=read.get("HOUSEHOLD_REGISTRY_KEY_ID", str),
            secret=read.get("HOUSEHOLD_REGISTRY_SECRET", secret),
        ),
        sms=SmsSettings(
            url=read.get("ALIYUN_SMS_URL", url),
            access_key_id=read.get("ALIYUN_SMS_ACCESS_KEY_ID", str),
            access_key_secret=read.get("ALIYUN_SMS_ACCESS_KEY_SECRET", secret),
            sign_name=read.get("ALIYUN_SMS_SIGN_NAME", str),
            template_codes=read.get("ALIYUN_SMS_TEMPLATE_CODES", texts, "{}"),
        ),
        tencent_sms=_tencent_sms(read),
        kuaidi100=Kuaidi100Settings(
            poll_url=read.get("KUAIDI100_POLL_URL", url),
            order_url=read.get("KUAIDI100_ORDER_URL", url),
            key=read.get("KUAIDI100_KEY", str),
            secret=read.get("KUAIDI100_SECRET", secret),
            customer=read.get("KUAIDI100_CUSTOMER", str),
        ),
        login_return_urls=read.get("LOGIN_RETURN_URLS", addresses, " "),
        clock_shift_file=read.get("CLOCK_SHIFT_FILE", lambda raw: Path(raw) if raw != "-" else None, "-"),
        trusted_proxies=read.get("TRUSTED_PROXIES", int, "0"),
        log_level=read.get("LOG_LEVEL", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
    )
    faults = read.faults or _joint_faults(settings)
    if faults:
        raise SettingsError(faults)
    return settings


def _tencent_sms(read: Reader) -> TencentSmsSettings | None:
    """The second sender of short messages; none unless its address is set."""
    if not read.environ.get("TENCENT_SMS_URL"):
        return None
    return TencentSmsSettings(
        url=read.get("TENCENT_SMS_URL", url),
        secret_id=read.get("TENCENT_SMS_SECRET_ID", str),
        secret_key=read.get("TENCENT_SMS_SECRET_KEY", secret),
        sdk_app_id=read.get("TENCENT_SMS_SDK_APP_ID", str),
        sign_name=read.get("TENCENT_SMS_SIGN_NAME", str),
        region=read.get("TENCENT_SMS_REGION", str, "ap-nanjing"),
        template_ids=read.get("TENCENT_SMS_TEMPLATE_IDS", texts, "{}"),
    )


def _joint_faults(settings: Settings) -> list[str]:
    """Faults that only show when settings are seen together."""
    faults = []
    if settings.crypto.field_key_active not in settings.crypto.field_keys:
        faults.append("FIELD_KEY_ACTIVE names a key that is not in FIELD_KEYS")
    if settings.environment == "production":
        if settings.clock_shift_file is not None:
            faults.append("CLOCK_SHIFT_FILE must not be set when ENV=production")
        if urlsplit(settings.public_url).scheme != "https":
            faults.append("PUBLIC_URL must be https when ENV=production")
        for name, url in partner_urls(settings).items():
            if urlsplit(url).hostname in _LOOPBACK or urlsplit(url).scheme != "https":
                faults.append(f"{name} points at a sandbox or plain http address; not allowed when ENV=production")
    return faults


def partner_urls(settings: Settings) -> dict[str, str]:
    """The partners' addresses by the name of their variable."""
    return {
        "WECHAT_API_URL": settings.wechat.api_url,
        "ALIPAY_GATEWAY_URL": settings.alipay.gateway_url,
        "ALIPAY_OAUTH_URL": settings.alipay.oauth_url,
        "IDENTITY_AUTHORITY_URL": settings.identity_authority.url,
        "NETWORK_IDENTITY_URL": settings.network_identity.url,
        "MARKET_REGISTRY_URL": settings.market_registry.url,
        "HOUSEHOLD_REGISTRY_URL": settings.household_registry.url,
        "ALIYUN_SMS_URL": settings.sms.url,
        **({"TENCENT_SMS_URL": settings.tencent_sms.url} if settings.tencent_sms else {}),
        "KUAIDI100_POLL_URL": settings.kuaidi100.poll_url,
        "KUAIDI100_ORDER_URL": settings.kuaidi100.order_url,
    }
