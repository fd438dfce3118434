"""The process's keys at work: field encryption, keyed look-up hashes, number scrambling and signed links.

Holds one cipher and one hasher, made from the settings by `configure`; everything else asks here, so that keys are
passed around nowhere. The algorithms themselves are in `core.crypto`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

from core.crypto import FieldCipher, LookupHasher
from core.settings import CryptoSettings

_LINK_MAC_BYTES = 16


class _State:
    cipher: FieldCipher | None = None
    hasher: LookupHasher | None = None
    number_key: bytes = b""
    link_key: bytes = b""


def configure(settings: CryptoSettings) -> None:
    """Load the keys of this process."""
    _State.cipher = FieldCipher(settings.field_keys, settings.field_key_active, settings.field_cipher)
    _State.hasher = LookupHasher(settings.lookup_key, settings.lookup_hash)
    _State.number_key = settings.number_key
    _State.link_key = settings.link_key


def cipher() -> FieldCipher:
    """The field cipher. Raises `RuntimeError` before `configure`."""
    if _State.cipher is None:
        raise RuntimeError("core.security.configure() has not run")
    return _State.cipher


def encrypt(value: str, context: str) -> bytes:
    """Encrypt a field's text; `context` is "table.column"."""
    return cipher().encrypt(value, context=context)


def decrypt(token: bytes, context: str) -> str:
    """Decrypt what `encrypt` made for the same context."""
    return cipher().decrypt(token, context=context)


def lookup(kind: str, value: str) -> bytes:
    """The keyed hash by which an encrypted value is found again: `kind` keeps phones, numbers and openids apart."""
    if _State.hasher is None:
        raise RuntimeError("core.security.configure() has not run")
    return _State.hasher.digest(kind, value)


def number_key() -> bytes:
    """The key that scrambles human-readable numbers (DOMAIN 2.3)."""
    return _State.number_key


def sign_link(purpose: str, subject: str, until: datetime) -> str:
    """A token for a short signed link: valid for `purpose` and `subject` until `until`."""
    expires = int(until.timestamp())
    mac = hmac.new(_State.link_key, f"{purpose}\n{subject}\n{expires}".encode(), hashlib.sha256).digest()
    return f"{expires}." + base64.urlsafe_b64encode(mac[:_LINK_MAC_BYTES]).rstrip(b"=").decode()


def check_link(purpose: str, subject: str, token: str, now: datetime) -> bool:
    """Whether `token` is a link token for `purpose` and `subject` that has not expired at `now`."""
    expires = token.partition(".")[0]
    if not expires.isascii() or not expires.isdigit() or len(expires) > 12 or int(expires) < now.timestamp():
        return False
    moment = datetime.fromtimestamp(int(expires), tz=now.tzinfo)
    return hmac.compare_digest(sign_link(purpose, subject, moment).encode(), token.encode())
