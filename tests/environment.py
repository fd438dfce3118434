"""A complete environment for tests: fresh keys, unreachable partners unless a sandbox's credentials are given."""

from __future__ import annotations

import base64
import json
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


_TOKEN_KEY = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
_KEYS = {name: _key() for name in ("FIELD", "LOOKUP", "LINK", "NUMBER")}


def environment(database: str, valkey: str, partners: dict[str, str]) -> dict[str, str]:
    unreachable = "http://127.0.0.1:9"
    pem = "-----BEGIN PUBLIC KEY-----\nunused\n-----END PUBLIC KEY-----\n"
    return {
        "ENV": "test",
        "PUBLIC_URL": "http://localhost",
        "DATABASE_URL": database,
        "DATABASE_POOL": "24",
        "REDIS_URL": valkey,
        "FILES_URL": "file:///nonexistent",
        "FIELD_KEYS": json.dumps({"k1": _KEYS["FIELD"]}),
        "FIELD_KEY_ACTIVE": "k1",
        "LOOKUP_KEY": _KEYS["LOOKUP"],
        "TOKEN_PRIVATE_KEY": _TOKEN_KEY,
        "LINK_KEY": _KEYS["LINK"],
        "NUMBER_KEY": _KEYS["NUMBER"],
        "CALLBACK_PATH_SECRET": "callback-path-secret-of-tests",
        "METRICS_TOKEN": "metrics-token-of-tests",
        "WECHAT_API_URL": unreachable,
        "WECHAT_APP_ID": "wx0",
        "WECHAT_APP_SECRET": "unused-secret-of-tests",
        "WECHAT_PUSH_TOKEN": "unused-token-of-tests",
        "WECHAT_PUSH_AES_KEY": "A" * 43,
        "ALIPAY_GATEWAY_URL": unreachable,
        "ALIPAY_OAUTH_URL": unreachable,
        "ALIPAY_APP_ID": "0",
        "ALIPAY_APP_PRIVATE_KEY": pem,
        "ALIPAY_PUBLIC_KEY": pem,
        "ALIPAY_SELLER_ID": "0",
        "IDENTITY_AUTHORITY_URL": unreachable,
        "IDENTITY_AUTHORITY_KEY_ID": "0",
        "IDENTITY_AUTHORITY_SECRET": "unused-secret-of-tests",
        "NETWORK_IDENTITY_URL": unreachable,
        "NETWORK_IDENTITY_KEY_ID": "0",
        "NETWORK_IDENTITY_SECRET": "unused-secret-of-tests",
        "MARKET_REGISTRY_URL": unreachable,
        "MARKET_REGISTRY_KEY_ID": "0",
        "MARKET_REGISTRY_SECRET": "unused-secret-of-tests",
        "HOUSEHOLD_REGISTRY_URL": unreachable,
        "HOUSEHOLD_REGISTRY_KEY_ID": "0",
        "HOUSEHOLD_REGISTRY_SECRET": "unused-secret-of-tests",
        "ALIYUN_SMS_URL": unreachable,
        "ALIYUN_SMS_ACCESS_KEY_ID": "0",
        "ALIYUN_SMS_ACCESS_KEY_SECRET": "unused-secret-of-tests",
        "ALIYUN_SMS_SIGN_NAME": "宁波政务",
        "KUAIDI100_POLL_URL": unreachable,
        "KUAIDI100_ORDER_URL": unreachable,
        "KUAIDI100_KEY": "0",
        "KUAIDI100_SECRET": "unused-secret-of-tests",
        "KUAIDI100_CUSTOMER": "0",
        **partners,
    }
