"""RSA2 (RSA-SHA256, PKCS#1 v1.5), the only signature accepted here. SHA-1 signatures never verify."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

SIGN_TYPE = "RSA2"


def private_key(pem: str) -> rsa.RSAPrivateKey:
    """The application's key, PKCS#1 or PKCS#8. Raises `ValueError` for anything else."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("Alipay's application key must be an RSA key")
    return key


def public_key(pem: str) -> rsa.RSAPublicKey:
    """Alipay's key. Raises `ValueError` for anything but an RSA key."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("Alipay's public key must be an RSA key")
    return key


def content(params: Mapping[str, str], *, without: frozenset[str]) -> str:
    """What is signed: the parameters that have a value, but for `without`, sorted by name, values before URL encoding."""
    kept = sorted((name, value) for name, value in params.items() if value and name not in without)
    return "&".join(f"{name}={value}" for name, value in kept)


def sign(key: rsa.RSAPrivateKey, signed: bytes) -> str:
    """The base64 signature of `signed`."""
    return base64.b64encode(key.sign(signed, padding.PKCS1v15(), SHA256())).decode()


def verifies(key: rsa.RSAPublicKey, signed: bytes, signature: str) -> bool:
    """Whether `signature` (base64) is `key`'s over `signed`."""
    try:
        key.verify(base64.b64decode(signature, validate=True), signed, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
