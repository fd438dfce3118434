"""How a kiosk signs its requests. Pure."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from core.limits import Limit

# A kiosk's clock is kept by the hall's network; more than this is a recording [D].
WINDOW = timedelta(seconds=60)
SIGN_INS = Limit("kiosk-sign-ins", 20, 60)
SIGN_INS_PER_CARD = Limit("kiosk-card", 20, 3_600)

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")


def message(*, method: str, path: str, time: str, nonce: str, body: bytes) -> bytes:
    """What a kiosk signs: method, path, its time in seconds, a nonce, and the SHA-256 of the body, a line each."""
    return "\n".join([method, path, time, nonce, hashlib.sha256(body).hexdigest()]).encode()


def is_key(pem: str) -> bool:
    """Whether `pem` is an Ed25519 public key."""
    try:
        return isinstance(load_pem_public_key(pem.encode()), Ed25519PublicKey)
    except ValueError:
        return False


def is_signed(pem: str, signature: bytes, signed: bytes) -> bool:
    """Whether the kiosk with this key signed `signed`."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def is_nonce(nonce: str) -> bool:
    """Whether a nonce has the documented shape."""
    return bool(_NONCE.fullmatch(nonce))


def is_timely(time: str, now: datetime) -> bool:
    """Whether a kiosk's time (seconds since 1970, as text) is within a minute of ours."""
    if not time.isascii() or not time.isdigit() or len(time) > 12:
        return False
    return abs(int(time) - now.timestamp()) <= WINDOW.total_seconds()
