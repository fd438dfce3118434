"""What the settings are, group by group. Secrets never show when a group is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Environment = Literal["development", "test", "production"]


def _hidden() -> Any:
    """A field that never shows when settings are printed, in a log or a traceback."""
    return field(repr=False)


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
