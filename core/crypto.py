"""Field encryption and look-up hashes (2.7): plain functions of keys and values; `core.security` holds the keys.

A cipher text describes itself: version, algorithm, key id, nonce, then the sealed text. Both algorithms can always be
read, whichever is active, so a switch of algorithm or key needs no stop: `needs_rotation` tells what to write again.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core import gm

AES = "AES-256-GCM"
SM4 = "SM4-GCM"
HMAC_SHA256 = "HMAC-SHA-256"
HMAC_SM3 = "HMAC-SM3"
KEY_BYTES = 32

_VERSION = 1
_NONCE_BYTES = 12
_KEY_ID_MAX = 32
_HEADER_BYTES = 3
_ALGORITHM_BYTES = {AES: 1, SM4: 2}
_ALGORITHM_NAMES = {number: name for name, number in _ALGORITHM_BYTES.items()}


class DecryptionFailed(Exception):
    """A cipher text was changed, moved to another column or cut short, or its key is gone. Never tells the content."""


class FieldCipher:
    """Encrypts single fields under named master keys (32 bytes or more), with one of two algorithms.

    Every master key gives one derived key per algorithm. Nonces are random: write a new master key into use before
    2³² fields were encrypted under one.
    """

    def __init__(self, keys: Mapping[str, bytes], active: str, algorithm: str) -> None:
        """`active` names the key to encrypt with; `algorithm` is AES-256-GCM or SM4-GCM. Raises `ValueError`."""
        if algorithm not in _ALGORITHM_BYTES:
            raise ValueError("the algorithm must be AES-256-GCM or SM4-GCM")
        if active not in keys:
            raise ValueError("the active key is not among the keys")
        for key_id, key in keys.items():
            if not key_id.isascii() or not 0 < len(key_id) <= _KEY_ID_MAX:
                raise ValueError("a key id is 1 to 32 ASCII characters")
            if len(key) < KEY_BYTES:
                raise ValueError("a field key needs at least 32 bytes")
        self._aes = {key_id: AESGCM(_derived(key, hashes.SHA256(), 32, AES)) for key_id, key in keys.items()}
        self._sm4 = {key_id: _derived(key, hashes.SM3(), gm.SM4_KEY_BYTES, SM4) for key_id, key in keys.items()}
        self._algorithm = algorithm
        self._active = active
        self._header = bytes((_VERSION, _ALGORITHM_BYTES[algorithm], len(active))) + active.encode()

    def encrypt(self, text: str, *, context: str) -> bytes:
        """Encrypt `text`. `context` ("person.name") is bound in: the result opens only under the same one."""
        nonce = os.urandom(_NONCE_BYTES)
        associated = self._header + context.encode()
        if self._algorithm == AES:
            sealed = self._aes[self._active].encrypt(nonce, text.encode(), associated)
        else:
            sealed = gm.sm4_gcm_encrypt(self._sm4[self._active], nonce, text.encode(), associated)
        return self._header + nonce + sealed

    def decrypt(self, token: bytes, *, context: str) -> str:
        """The text that `encrypt` sealed under any known key and the same `context`. Raises `DecryptionFailed`."""
        algorithm, key_id, start = _read_header(token)
        if key_id not in self._sm4:
            raise DecryptionFailed("unknown key")
        nonce, sealed = token[start : start + _NONCE_BYTES], token[start + _NONCE_BYTES :]
        associated = token[:start] + context.encode()
        try:
            if algorithm == AES:
                return self._aes[key_id].decrypt(nonce, sealed, associated).decode()
            return gm.sm4_gcm_decrypt(self._sm4[key_id], nonce, sealed, associated).decode()
        except (InvalidTag, ValueError):
            raise DecryptionFailed("not authentic") from None

    def needs_rotation(self, token: bytes) -> bool:
        """Whether `token` was made with another key or algorithm than the active ones. Raises `DecryptionFailed`."""
        _read_header(token)
        return not token.startswith(self._header)


def _derived(key: bytes, digest: hashes.HashAlgorithm, length: int, purpose: str) -> bytes:
    return HKDF(digest, length, salt=None, info=f"field/{purpose}".encode()).derive(key)


def _read_header(token: bytes) -> tuple[str, str, int]:
    """Algorithm, key id and where the nonce starts."""
    if len(token) < _HEADER_BYTES or token[0] != _VERSION or token[1] not in _ALGORITHM_NAMES:
        raise DecryptionFailed("not a field cipher text")
    start = _HEADER_BYTES + token[2]
    return _ALGORITHM_NAMES[token[1]], token[_HEADER_BYTES:start].decode("ascii", "replace"), start


class LookupHasher:
    """Keyed hashes by which an encrypted value is found again; without the key they can't be tried out (2.7)."""

    def __init__(self, key: bytes, algorithm: str) -> None:
        """`key` has at least 32 bytes; `algorithm` is HMAC-SM3 or HMAC-SHA-256. Raises `ValueError`."""
        if len(key) < KEY_BYTES:
            raise ValueError("a look-up key needs at least 32 bytes")
        if algorithm not in {HMAC_SM3, HMAC_SHA256}:
            raise ValueError("the algorithm must be HMAC-SM3 or HMAC-SHA-256")
        self._key = key
        self._mac: Callable[[bytes, bytes], bytes] = gm.hmac_sm3 if algorithm == HMAC_SM3 else _hmac_sha256

    def digest(self, kind: str, value: str) -> bytes:
        """The 32-byte hash of a normalised `value`; `kind` keeps equal values of different meaning apart."""
        name = kind.encode()
        # The length goes in front, so that no kind and value can read as another kind and value.
        return self._mac(self._key, len(name).to_bytes(2) + name + value.encode())


def _hmac_sha256(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def constant_time_equal(left: str | bytes, right: str | bytes) -> bool:
    """Whether both are equal, in a time that doesn't tell where they differ."""
    return hmac.compare_digest(
        left.encode() if isinstance(left, str) else left, right.encode() if isinstance(right, str) else right
    )
