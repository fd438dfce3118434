"""National algorithms (N15): SM3 and SM4 through cryptography, SM2 signatures through the C library of gmssl-pyx.

SM2 keys and signatures travel in several shapes; here a private key is 32 bytes, a public key 64 bytes (x, y without
the leading 04), and a signature is DER. `sm2_public_key`, `sm2_signature_to_raw` and `sm2_signature_to_der` convert.
"""

from __future__ import annotations

import gmssl_pyx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

SM2_DEFAULT_SIGNER = b"1234567812345678"
SM4_KEY_BYTES = 16

_GCM_TAG_BYTES = 16
_SM4_BLOCK_BITS = 128
_SM2_HALF = 32


def sm3(data: bytes) -> bytes:
    """The SM3 digest (GB/T 32905), 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC with SM3, 32 bytes."""
    mac = hmac.HMAC(key, hashes.SM3())
    mac.update(data)
    return mac.finalize()


def sm4_gcm_encrypt(key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
    """SM4-GCM (RFC 8998): cipher text followed by the 16-byte tag. A nonce must never be used twice with one key."""
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    return encryptor.update(plain) + encryptor.finalize() + encryptor.tag


def sm4_gcm_decrypt(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """Open what `sm4_gcm_encrypt` made. Raises `cryptography.exceptions.InvalidTag` when anything was changed."""
    if len(sealed) < _GCM_TAG_BYTES:
        raise InvalidTag
    cipher_text, tag = sealed[:-_GCM_TAG_BYTES], sealed[-_GCM_TAG_BYTES:]
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(associated)
    return decryptor.update(cipher_text) + decryptor.finalize()


def sm4_ecb_encrypt(key: bytes, plain: bytes) -> bytes:
    """SM4-ECB with PKCS#7 padding: only for partners who prescribe it (EMS); it hides no patterns."""
    padder = PKCS7(_SM4_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()  # noqa: S305  # the carrier's contract
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def sm2_public_key(raw: bytes | str) -> bytes:
    """A public key as 64 bytes, from hex or bytes with or without the leading 04, or compressed.

    Raises `ValueError` when it isn't a point of the curve.
    """
    try:
        point: bytes = gmssl_pyx.normalize_sm2_public_key(raw)
    except gmssl_pyx.InvalidValueError:
        raise ValueError("not an SM2 public key") from None
    return point


def sm2_sign(private_key: bytes, public_key: bytes, message: bytes, *, signer: bytes = SM2_DEFAULT_SIGNER) -> bytes:
    """The SM2 signature (GB/T 32918.2) of `message`, DER. `signer` is the identity that both sides agreed on."""
    signature: bytes = gmssl_pyx.sm2_sign(private_key, public_key, message, signer)
    return signature


def sm2_verify(public_key: bytes, message: bytes, signature: bytes, *, signer: bytes = SM2_DEFAULT_SIGNER) -> bool:
    """Whether `signature` (DER) is `signer`'s over `message`. A malformed signature is simply not valid."""
    try:
        valid: bool = gmssl_pyx.sm2_verify(public_key, message, signature, signer)
    except gmssl_pyx.GmsslInnerError:
        return False
    return valid


def sm2_signature_to_raw(der: bytes) -> bytes:
    """A DER signature as r||s, 64 bytes, which many Chinese systems exchange."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(_SM2_HALF) + s.to_bytes(_SM2_HALF)


def sm2_signature_to_der(raw: bytes) -> bytes:
    """An r||s signature (64 bytes) as DER. Raises `ValueError` for another length."""
    if len(raw) != 2 * _SM2_HALF:
        raise ValueError("an r||s signature has 64 bytes")
    return encode_dss_signature(int.from_bytes(raw[:_SM2_HALF]), int.from_bytes(raw[_SM2_HALF:]))
