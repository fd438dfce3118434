"""Data that the mini-program gets sealed with the session key (PROTOCOLS 1.4, the older form): AES-128-CBC, PKCS#7.

What is inside is believed only with our app id in its watermark and a time not long ago: the session key seals whatever
the same account was ever shown, and a blob of yesterday says nothing about today's phone.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

# The blob is made when the person taps the button; WeChat's codes of that moment live as long [D].
FRESH_FOR = timedelta(minutes=5)

_KEY_BYTES = _BLOCK_BYTES = 16


class SealedDataInvalid(ValueError):
    """Not sealed with this session key, not for this application, or too old. Which of them is told to nobody."""


def decrypt(session_key: str, encrypted_data: str, iv: str) -> str:
    """The text inside; all three are base64. Raises `SealedDataInvalid`."""
    key, start, sealed = _decoded(session_key), _decoded(iv), _decoded(encrypted_data)
    if len(key) != _KEY_BYTES or len(start) != _BLOCK_BYTES or not sealed or len(sealed) % _BLOCK_BYTES:
        raise SealedDataInvalid("length")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(start)).decryptor()
    unpadder = PKCS7(_BLOCK_BYTES * 8).unpadder()
    try:
        plain = unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()
        return plain.decode()
    except ValueError:
        raise SealedDataInvalid("padding or encoding") from None


def open_sealed(session_key: str, encrypted_data: str, iv: str, *, app_id: str, now: datetime) -> dict[str, Any]:
    """The object inside, its watermark checked against our `app_id` and the true time `now`. Raises `SealedDataInvalid`."""
    try:
        found = json.loads(decrypt(session_key, encrypted_data, iv))
    except json.JSONDecodeError:
        raise SealedDataInvalid("not JSON") from None
    watermark = found.get("watermark") if isinstance(found, dict) else None
    if not isinstance(watermark, dict) or watermark.get("appid") != app_id:
        raise SealedDataInvalid("watermark")
    try:
        age = now.timestamp() - float(watermark["timestamp"])
    except (KeyError, TypeError, ValueError):
        raise SealedDataInvalid("watermark") from None
    if not abs(age) <= FRESH_FOR.total_seconds():
        raise SealedDataInvalid("age")
    return dict(found)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SealedDataInvalid("base64") from None
