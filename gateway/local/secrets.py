"""The secrets of a local stack: made once, kept in one file that only its owner can read."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.local.state import write_private

_KEY_BYTES = 32
_HEADER = "# Secrets of this local stack. Without them its database can't be read: `make reset` removes both."


def partner_environment(credentials: Mapping[str, Any], sandbox_url: str) -> dict[str, str]:
    """The partners' variables (core/settings), from what `python -m sandbox credentials` prints and its address."""
    wechat, alipay = credentials["wechat"], credentials["alipay"]
    authority, sms, couriers = credentials["identity-authority"], credentials["aliyun-sms"], credentials["kuaidi100"]
    tencent = credentials["tencent-sms"]
    return {
        "WECHAT_API_URL": f"{sandbox_url}/wechat",
        "WECHAT_APP_ID": wechat["app_id"],
        "WECHAT_APP_SECRET": wechat["app_secret"],
        "WECHAT_TEMPLATE_IDS": json.dumps(wechat["template_ids"]),
        "WECHAT_PUSH_TOKEN": wechat["push_token"],
        "WECHAT_PUSH_AES_KEY": wechat["push_aes_key"],
        "ALIPAY_GATEWAY_URL": f"{sandbox_url}/alipay/gateway.do",
        "ALIPAY_OAUTH_URL": f"{sandbox_url}/alipay/oauth2/publicAppAuthorize.htm",
        "ALIPAY_APP_ID": alipay["app_id"],
        "ALIPAY_APP_PRIVATE_KEY": alipay["app_private_key"],
        "ALIPAY_PUBLIC_KEY": alipay["alipay_public_key"],
        "ALIPAY_SELLER_ID": alipay["seller_id"],
        "IDENTITY_AUTHORITY_URL": f"{sandbox_url}/identity-authority",
        "IDENTITY_AUTHORITY_KEY_ID": authority["key_id"],
        "IDENTITY_AUTHORITY_SECRET": authority["secret"],
        "NETWORK_IDENTITY_URL": f"{sandbox_url}/network-identity",
        "NETWORK_IDENTITY_KEY_ID": credentials["network-identity"]["key_id"],
        "NETWORK_IDENTITY_SECRET": credentials["network-identity"]["secret"],
        "MARKET_REGISTRY_URL": f"{sandbox_url}/market-registry",
        "MARKET_REGISTRY_KEY_ID": credentials["market-registry"]["key_id"],
        "MARKET_REGISTRY_SECRET": credentials["market-registry"]["secret"],
        "HOUSEHOLD_REGISTRY_URL": f"{sandbox_url}/household-registry",
        "HOUSEHOLD_REGISTRY_KEY_ID": credentials["household-registry"]["key_id"],
        "HOUSEHOLD_REGISTRY_SECRET": credentials["household-registry"]["secret"],
        "ALIYUN_SMS_URL": f"{sandbox_url}/aliyun-sms",
        "ALIYUN_SMS_ACCESS_KEY_ID": sms["access_key_id"],
        "ALIYUN_SMS_ACCESS_KEY_SECRET": sms["access_key_secret"],
        "ALIYUN_SMS_SIGN_NAME": sms["sign_name"],
        "TENCENT_SMS_URL": f"{sandbox_url}/tencent-sms",
        "TENCENT_SMS_SECRET_ID": tencent["secret_id"],
        "TENCENT_SMS_SECRET_KEY": tencent["secret_key"],
        "TENCENT_SMS_SDK_APP_ID": tencent["sdk_app_id"],
        "TENCENT_SMS_SIGN_NAME": tencent["sign_name"],
        "KUAIDI100_POLL_URL": f"{sandbox_url}/kuaidi100",
        "KUAIDI100_ORDER_URL": f"{sandbox_url}/kuaidi100",
        "KUAIDI100_KEY": couriers["key"],
        "KUAIDI100_SECRET": couriers["secret"],
        "KUAIDI100_CUSTOMER": couriers["customer"],
    }


def own_secrets(file: Path) -> dict[str, str]:
    """The product's own keys: read from `file`; what it doesn't hold yet is made and kept there. Each line is NAME=value."""
    found = _kept(file)
    made = {name: value for name, value in _fresh().items() if name not in found}
    if made:
        lines = [f"{name}={value}" for name, value in (found | made).items()]
        write_private(file, "\n".join([_HEADER, *lines]) + "\n")
    return found | made


def _kept(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _fresh() -> dict[str, str]:
    token_key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "FIELD_KEYS": json.dumps({"k1": _key()}),
        "FIELD_KEY_ACTIVE": "k1",
        "LOOKUP_KEY": _key(),
        "TOKEN_PRIVATE_KEY": token_key.decode().strip().replace("\n", "\\n"),
        "LINK_KEY": _key(),
        "NUMBER_KEY": _key(),
        "CALLBACK_PATH_SECRET": secrets.token_urlsafe(24),
        "METRICS_TOKEN": secrets.token_urlsafe(24),
    }


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
