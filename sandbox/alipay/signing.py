"""Alipay's RSA2 signatures (RSA-SHA256, PKCS#1 v1.5), made and checked with the `cryptography` package."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256


def sign(key: rsa.RSAPrivateKey, content: bytes) -> str:
    """base64 signature of `content`."""
    return base64.b64encode(key.sign(content, padding.PKCS1v15(), SHA256())).decode()


def verify(key: rsa.RSAPublicKey, content: bytes, signature: str) -> bool:
    """Whether `signature` (base64) fits `content`."""
    try:
        key.verify(base64.b64decode(signature, validate=True), content, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def request_content(params: Mapping[str, str]) -> bytes:
    """What a request signs: everything but `sign`, no empty values, sorted, values as they are before encoding."""
    return _content(params, without=("sign",))


def notice_content(params: Mapping[str, str]) -> bytes:
    """What a notice signs: as a request, but `sign_type` is left out too."""
    return _content(params, without=("sign", "sign_type"))


def _content(params: Mapping[str, str], *, without: tuple[str, ...]) -> bytes:
    kept = sorted((key, value) for key, value in params.items() if key not in without and value != "")
    return "&".join(f"{key}={value}" for key, value in kept).encode()


def signed_answer(key: rsa.RSAPrivateKey, name: str, fields: Mapping[str, Any], *, wrong: bool = False) -> bytes:
    """`{"<name>":{...},"sign":"..."}`, signed over the raw text of the inner object; `wrong` signs something else."""
    inner = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    signature = sign(key, inner + b" " if wrong else inner)
    return b'{"' + name.encode() + b'":' + inner + b',"sign":"' + signature.encode() + b'"}'


def signed_form(key: rsa.RSAPrivateKey, params: Mapping[str, str], *, forged: bool = False) -> bytes:
    """A notice as a form body; `forged` carries a well-formed signature of something else."""
    content = notice_content(params)
    signature = sign(key, content + b"&forged=1" if forged else content)
    return urlencode({**params, "sign_type": "RSA2", "sign": signature}).encode()
