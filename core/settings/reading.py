"""From the environment's texts to values; every converter raises `ValueError` with what the value must be."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_KEY_BYTES = 32


class Reader:
    """Reads variables one by one and collects the faults."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []

    def get(self, name: str, convert: Callable[[str], T], default: str | None = None) -> T:
        """The variable `name` by `convert`; a fault is noted, and the value then means nothing."""
        raw = self.environ.get(name) or default
        if raw is None:
            self.faults.append(f"{name} is missing")
            return None  # type: ignore[return-value]  # never used: faults stop the load
        try:
            return convert(raw)
        except (ValueError, binascii.Error) as fault:
            self.faults.append(f"{name}: {fault}")
            return None  # type: ignore[return-value]


def key(raw: str) -> bytes:
    """base64 of at least 32 bytes."""
    value = base64.b64decode(raw, validate=True)
    if len(value) < _KEY_BYTES:
        raise ValueError(f"must be base64 of at least {_KEY_BYTES} bytes")
    return value


def keys(raw: str) -> dict[str, bytes]:
    """JSON of key id → base64."""
    try:
        found = json.loads(raw)
        return {str(key_id): key(str(value)) for key_id, value in found.items()}
    except (json.JSONDecodeError, AttributeError) as fault:
        raise ValueError('must be JSON like {"k1": "<base64 of 32 bytes>"}') from fault


def texts(raw: str) -> dict[str, str]:
    """JSON of text → text."""
    try:
        return {str(k): str(v) for k, v in json.loads(raw).items()}
    except (json.JSONDecodeError, AttributeError) as fault:
        raise ValueError('must be JSON like {"code": "template id"}') from fault


def addresses(raw: str) -> frozenset[str]:
    """Whole addresses without a query, between spaces."""
    found = frozenset(raw.split())
    if not all(urlsplit(one).scheme and urlsplit(one).netloc and not urlsplit(one).query for one in found):
        raise ValueError("must be whole addresses without a query, between spaces")
    return found


def url(raw: str) -> str:
    """An http(s) address, without a slash at its end."""
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http(s) address")
    return raw.rstrip("/")


def pem(raw: str) -> str:
    """A key as PEM."""
    text = raw.replace("\\n", "\n").strip() + "\n"
    if "-----BEGIN" not in text:
        raise ValueError("must be PEM (newlines may be written as \\n)")
    return text


def secret(raw: str) -> str:
    """A secret of at least 16 characters."""
    if len(raw) < 16:
        raise ValueError("must be at least 16 characters")
    return raw


def aes_key(raw: str) -> str:
    """WeChat's EncodingAESKey."""
    if len(raw) != 43 or len(base64.b64decode(raw + "=", validate=True)) != 32:
        raise ValueError("must be the 43 characters of EncodingAESKey")
    return raw


def one_of(*allowed: str) -> Callable[[str], str]:
    """One of `allowed`."""

    def convert(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw

    return convert


def database_url(raw: str) -> str:
    """A postgresql:// address, as the driver wants it."""
    if not raw.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise ValueError("must be a postgresql:// address")
    return "postgresql+psycopg://" + raw.split("://", 1)[1]
