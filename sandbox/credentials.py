"""What the platforms would issue to the product, and the keys that the simulated platforms keep for themselves.

Made once per installation into `sandbox.json` (mode 0600); nothing here has a default secret.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import string
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import ECKey

FILE_NAME = "sandbox.json"
# Raised whenever `_fresh` issues something new: older files are completed then.
VERSION = 4
SIGN_NAME = "宁波政务"
DEPARTMENT_CLIENT_ID = "demo-real-estate"
TEMPLATE_KEYS = ("CASE_PROGRESS", "APPOINTMENT", "PAYMENT", "DELIVERY")


@dataclass(frozen=True)
class Credentials:
    """The content of `sandbox.json`: what the product gets, and what only the platforms know."""

    product: dict[str, Any]
    platform: dict[str, Any]

    @cached_property
    def alipay_private_key(self) -> rsa.RSAPrivateKey:
        """The key Alipay signs its answers and notices with."""
        return _private_key(self.platform["alipay_private_key"])

    @cached_property
    def alipay_app_public_key(self) -> rsa.RSAPublicKey:
        """The key the product's requests to Alipay are verified with."""
        return _private_key(self.product["alipay"]["app_private_key"]).public_key()


def make(state: Path) -> Credentials:
    """Make the credentials of this installation if there are none yet, complete older ones, and return them."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = state / FILE_NAME
    if not path.exists():
        draft = state / f".{FILE_NAME}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(_fresh(), file, ensure_ascii=False, indent=2)
        try:
            # Unlike a rename, a link fails when another process was first: both then read the same keys.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    _complete(path)
    return load(state)


def _complete(path: Path) -> None:
    """Add what a newer version of the sandbox issues to a file that an older one made; what is there stays."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["version"] < VERSION:
        fresh = _fresh()
        product = {
            partner: {**fields, **found["product"].get(partner, {})} for partner, fields in fresh["product"].items()
        }
        platform = {**fresh["platform"], **found["platform"]}
        whole = {**found, "version": VERSION, "product": product, "platform": platform}
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(whole, file, ensure_ascii=False, indent=2)
        draft.replace(path)


def load(state: Path) -> Credentials:
    """Read the credentials of this installation. Raises `FileNotFoundError` before `make`."""
    found = json.loads((state / FILE_NAME).read_text(encoding="utf-8"))
    return Credentials(product=found["product"], platform=found["platform"])


def _private_key(pem: str) -> rsa.RSAPrivateKey:
    return cast(rsa.RSAPrivateKey, serialization.load_pem_private_key(pem.encode(), password=None))


def _characters(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _public_key(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    made = ECKey.import_key(key)
    return {**made.as_dict(private=False), "kid": made.thumbprint()}


def _fresh() -> dict[str, Any]:
    app_key = rsa.generate_private_key(65537, 2048)
    alipay_key = rsa.generate_private_key(65537, 2048)
    department_key = ec.generate_private_key(ec.SECP256R1())
    alnum = string.ascii_letters + string.digits
    product = {
        "wechat": {
            "app_id": "wx" + secrets.token_hex(8),
            "app_secret": secrets.token_hex(16),
            "template_ids": {key: _characters(alnum + "-_", 43) for key in TEMPLATE_KEYS},
            "push_token": _characters(alnum, 24),
            "push_aes_key": base64.b64encode(secrets.token_bytes(32)).decode().rstrip("="),
        },
        "alipay": {
            "app_id": "2021" + _characters(string.digits, 12),
            "seller_id": "2088" + _characters(string.digits, 12),
            "app_private_key": _private_pem(app_key, serialization.PrivateFormat.TraditionalOpenSSL),
            "app_private_key_pkcs8": _private_pem(app_key, serialization.PrivateFormat.PKCS8),
            "alipay_public_key": alipay_key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode(),
        },
        "identity-authority": {"key_id": "IA" + secrets.token_hex(6), "secret": secrets.token_urlsafe(32)},
        "network-identity": {"key_id": "NI" + secrets.token_hex(6), "secret": secrets.token_urlsafe(32)},
        "market-registry": {"key_id": "MR" + secrets.token_hex(6), "secret": secrets.token_urlsafe(32)},
        "household-registry": {"key_id": "HR" + secrets.token_hex(6), "secret": secrets.token_urlsafe(32)},
        "aliyun-sms": {
            "access_key_id": "LTAI5t" + _characters(alnum, 18),
            "access_key_secret": _characters(alnum, 30),
            "sign_name": SIGN_NAME,
        },
        "tencent-sms": {
            "secret_id": "AKID" + _characters(alnum, 32),
            "secret_key": _characters(alnum, 32),
            "sdk_app_id": "1400" + _characters(string.digits, 6),
            "sign_name": SIGN_NAME,
        },
        "kuaidi100": {
            "key": _characters(alnum, 12),
            "secret": secrets.token_hex(16),
            "customer": secrets.token_hex(16).upper(),
        },
        # Not issued by a platform: a department registers its site with the product, by these public keys.
        "department": {"client_id": DEPARTMENT_CLIENT_ID, "jwks": {"keys": [_public_key(department_key)]}},
    }
    platform = {
        "alipay_private_key": _private_pem(alipay_key, serialization.PrivateFormat.PKCS8),
        "department_private_key": _private_pem(department_key, serialization.PrivateFormat.PKCS8),
    }
    return {"version": VERSION, "product": product, "platform": platform}
