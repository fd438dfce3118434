"""The only reader of the environment.

`load()` names every variable, its type and what it is for, and reports all faults at once. No secret has a default: a
missing one stops the start. `make run` writes a `secrets.env` with fresh values; production sets them its own way.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

Environment = Literal["development", "test", "production"]

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_KEY_BYTES = 32


def _hidden() -> Any:
    """A field that never shows when settings are printed, in a log or a traceback."""
    return field(repr=False)


class SettingsError(Exception):
    """The environment can't be used; the message lists every fault, one a line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings are not usable:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptoSettings:
    """Keys for personal data and tokens. See docs/how-to/rotate-keys.md."""

    field_keys: Mapping[str, bytes] = _hidden()
    field_key_active: str
    field_cipher: str
    lookup_key: bytes = _hidden()
    lookup_hash: str
    token_private_key: str = _hidden()
    link_key: bytes = _hidden()
    number_key: bytes = _hidden()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeChatSettings:
    """The mini-program's account at WeChat."""

    api_url: str
    app_id: str
    app_secret: str = _hidden()
    template_ids: Mapping[str, str]
    push_token: str = _hidden()
    push_aes_key: str = _hidden()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlipaySettings:
    """The application at Alipay's open platform. Keys are PEM."""

    gateway_url: str
    oauth_url: str
    app_id: str
    app_private_key: str = _hidden()
    alipay_public_key: str
    seller_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityAuthoritySettings:
    """The population source that matches name and number."""

    url: str
    key_id: str
    secret: str = _hidden()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkIdentitySettings:
    """The national network identity service (网证)."""

    url: str
    key_id: str
    secret: str = _hidden()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """A register that is asked in signed requests: of organisations, or of households and births."""

    url: str
    key_id: str
    secret: str = _hidden()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSettings:
    """Aliyun short messages."""

    url: str
    access_key_id: str
    access_key_secret: str = _hidden()
    sign_name: str
    template_codes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TencentSmsSettings:
    """Tencent short messages, for when Aliyun is away."""

    url: str
    secret_id: str
    secret_key: str = _hidden()
    sdk_app_id: str
    sign_name: str
    region: str
    template_ids: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kuaidi100Settings:
    """快递100: orders, subscription and callbacks."""

    poll_url: str
    order_url: str
    key: str = _hidden()
    secret: str = _hidden()
    customer: str = _hidden()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the process was told from outside."""

    environment: Environment
    public_url: str
    database_url: str = _hidden()
    database_pool: int
    redis_url: str = _hidden()
    files_url: str
    crypto: CryptoSettings
    callback_path_secret: str = _hidden()
    metrics_token: str = _hidden()
    wechat: WeChatSettings
    alipay: AlipaySettings
    identity_authority: IdentityAuthoritySettings
    network_identity: NetworkIdentitySettings
    market_registry: RegistrySettings
    household_registry: RegistrySettings
    sms: SmsSettings
    tencent_sms: TencentSmsSettings | None
    kuaidi100: Kuaidi100Settings
    login_return_urls: frozenset[str]
    clock_shift_file: Path | None
    trusted_proxies: int
    log_level: str


class _Reader:
    """Reads variables one by one and collects the faults."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []

    def get(self, name: str, convert: Callable[[str], T], default: str | None = None) -> T:
        raw = self.environ.get(name) or default
        if raw is None:
            self.faults.append(f"{name} is missing")
            return None  # type: ignore[return-value]  # never used: faults stop the load
        try:
            return convert(raw)
        except (ValueError, binascii.Error) as fault:
            self.faults.append(f"{name}: {fault}")
            return None  # type: ignore[return-value]


def _key(raw: str) -> bytes:
    value = base64.b64decode(raw, validate=True)
    if len(value) < _KEY_BYTES:
        raise ValueError(f"must be base64 of at least {_KEY_BYTES} bytes")
    return value


def _keys(raw: str) -> dict[str, bytes]:
    try:
        found = json.loads(raw)
        return {str(key_id): _key(str(value)) for key_id, value in found.items()}
    except (json.JSONDecodeError, AttributeError) as fault:
        raise ValueError('must be JSON like {"k1": "<base64 of 32 bytes>"}') from fault


def _texts(raw: str) -> dict[str, str]:
    try:
        return {str(k): str(v) for k, v in json.loads(raw).items()}
    except (json.JSONDecodeError, AttributeError) as fault:
        raise ValueError('must be JSON like {"code": "template id"}') from fault


def _addresses(raw: str) -> frozenset[str]:
    found = frozenset(raw.split())
    if not all(urlsplit(one).scheme and urlsplit(one).netloc and not urlsplit(one).query for one in found):
        raise ValueError("must be whole addresses without a query, between spaces")
    return found


def _url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http(s) address")
    return raw.rstrip("/")


def _pem(raw: str) -> str:
    text = raw.replace("\\n", "\n").strip() + "\n"
    if "-----BEGIN" not in text:
        raise ValueError("must be PEM (newlines may be written as \\n)")
    return text


def _secret(raw: str) -> str:
    if len(raw) < 16:
        raise ValueError("must be at least 16 characters")
    return raw


def _aes_key(raw: str) -> str:
    if len(raw) != 43 or len(base64.b64decode(raw + "=", validate=True)) != 32:
        raise ValueError("must be the 43 characters of EncodingAESKey")
    return raw


def _one_of(*allowed: str) -> Callable[[str], str]:
    def convert(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw

    return convert


def _database_url(raw: str) -> str:
    if not raw.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise ValueError("must be a postgresql:// address")
    return "postgresql+psycopg://" + raw.split("://", 1)[1]


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings from `environ` (default: the process environment). Raises `SettingsError` naming every fault."""
    read = _Reader(os.environ if environ is None else environ)
    environment = read.get("ENV", _one_of("development", "test", "production"), "production")
    settings = Settings(
        environment=environment,  # type: ignore[arg-type]  # checked by _one_of
        public_url=read.get("PUBLIC_URL", _url),
        database_url=read.get("DATABASE_URL", _database_url),
        database_pool=read.get("DATABASE_POOL", int, "8"),
        redis_url=read.get("REDIS_URL", str),
        files_url=read.get("FILES_URL", str),
        crypto=CryptoSettings(
            field_keys=read.get("FIELD_KEYS", _keys),
            field_key_active=read.get("FIELD_KEY_ACTIVE", str),
            field_cipher=read.get("FIELD_CIPHER", _one_of("AES-256-GCM", "SM4-GCM"), "AES-256-GCM"),
            lookup_key=read.get("LOOKUP_KEY", _key),
            lookup_hash=read.get("LOOKUP_HASH", _one_of("HMAC-SHA-256", "HMAC-SM3"), "HMAC-SM3"),
            token_private_key=read.get("TOKEN_PRIVATE_KEY", _pem),
            link_key=read.get("LINK_KEY", _key),
            number_key=read.get("NUMBER_KEY", _key),
        ),
        callback_path_secret=read.get("CALLBACK_PATH_SECRET", _secret),
        metrics_token=read.get("METRICS_TOKEN", _secret),
        wechat=WeChatSettings(
            api_url=read.get("WECHAT_API_URL", _url),
            app_id=read.get("WECHAT_APP_ID", str),
            app_secret=read.get("WECHAT_APP_SECRET", _secret),
            template_ids=read.get("WECHAT_TEMPLATE_IDS", _texts, "{}"),
            push_token=read.get("WECHAT_PUSH_TOKEN", str),
            push_aes_key=read.get("WECHAT_PUSH_AES_KEY", _aes_key),
        ),
        alipay=AlipaySettings(
            gateway_url=read.get("ALIPAY_GATEWAY_URL", _url),
            oauth_url=read.get("ALIPAY_OAUTH_URL", _url),
            app_id=read.get("ALIPAY_APP_ID", str),
            app_private_key=read.get("ALIPAY_APP_PRIVATE_KEY", _pem),
            alipay_public_key=read.get("ALIPAY_PUBLIC_KEY", _pem),
            seller_id=read.get("ALIPAY_SELLER_ID", str),
        ),
        identity_authority=IdentityAuthoritySettings(
            url=read.get("IDENTITY_AUTHORITY_URL", _url),
            key_id=read.get("IDENTITY_AUTHORITY_KEY_ID", str),
            secret=read.get("IDENTITY_AUTHORITY_SECRET", _secret),
        ),
        network_identity=NetworkIdentitySettings(
            url=read.get("NETWORK_IDENTITY_URL", _url),
            key_id=read.get("NETWORK_IDENTITY_KEY_ID", str),
            secret=read.get("NETWORK_IDENTITY_SECRET", _secret),
        ),
        market_registry=RegistrySettings(
            url=read.get("MARKET_REGISTRY_URL", _url),
            key_id=read.get("MARKET_REGISTRY_KEY_ID", str),
            secret=read.get("MARKET_REGISTRY_SECRET", _secret),
        ),
        household_registry=RegistrySettings(
            url=read.get("HOUSEHOLD_REGISTRY_URL", _url),
            key_id=read.get("HOUSEHOLD_REGISTRY_KEY_ID", str),
            secret=read.get("HOUSEHOLD_REGISTRY_SECRET", _secret),
        ),
        sms=SmsSettings(
            url=read.get("ALIYUN_SMS_URL", _url),
            access_key_id=read.get("ALIYUN_SMS_ACCESS_KEY_ID", str),
            access_key_secret=read.get("ALIYUN_SMS_ACCESS_KEY_SECRET", _secret),
            sign_name=read.get("ALIYUN_SMS_SIGN_NAME", str),
            template_codes=read.get("ALIYUN_SMS_TEMPLATE_CODES", _texts, "{}"),
        ),
        tencent_sms=_tencent_sms(read),
        kuaidi100=Kuaidi100Settings(
            poll_url=read.get("KUAIDI100_POLL_URL", _url),
            order_url=read.get("KUAIDI100_ORDER_URL", _url),
            key=read.get("KUAIDI100_KEY", str),
            secret=read.get("KUAIDI100_SECRET", _secret),
            customer=read.get("KUAIDI100_CUSTOMER", str),
        ),
        login_return_urls=read.get("LOGIN_RETURN_URLS", _addresses, " "),
        clock_shift_file=read.get("CLOCK_SHIFT_FILE", lambda raw: Path(raw) if raw != "-" else None, "-"),
        trusted_proxies=read.get("TRUSTED_PROXIES", int, "0"),
        log_level=read.get("LOG_LEVEL", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
    )
    faults = read.faults or _joint_faults(settings)
    if faults:
        raise SettingsError(faults)
    return settings


def _tencent_sms(read: _Reader) -> TencentSmsSettings | None:
    """The second sender of short messages; none unless its address is set."""
    if not read.environ.get("TENCENT_SMS_URL"):
        return None
    return TencentSmsSettings(
        url=read.get("TENCENT_SMS_URL", _url),
        secret_id=read.get("TENCENT_SMS_SECRET_ID", str),
        secret_key=read.get("TENCENT_SMS_SECRET_KEY", _secret),
        sdk_app_id=read.get("TENCENT_SMS_SDK_APP_ID", str),
        sign_name=read.get("TENCENT_SMS_SIGN_NAME", str),
        region=read.get("TENCENT_SMS_REGION", str, "ap-nanjing"),
        template_ids=read.get("TENCENT_SMS_TEMPLATE_IDS", _texts, "{}"),
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
