"""Field encryption and look-up hashes (2.7)."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import gm
from core.crypto import (
    AES,
    HMAC_SHA256,
    HMAC_SM3,
    SM4,
    DecryptionFailed,
    FieldCipher,
    LookupHasher,
    constant_time_equal,
)

OLD = bytes(range(32))
NEW = bytes(range(1, 33))
BOTH = {"k1": OLD, "2026-11": NEW}
ALGORITHMS = [AES, SM4]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(text=st.text(st.characters(codec="utf-8"), max_size=300))
def test_what_was_encrypted_is_read(algorithm: str, text: str) -> None:
    cipher = FieldCipher(BOTH, "k1", algorithm)
    assert cipher.decrypt(cipher.encrypt(text, context="person.name"), context="person.name") == text


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_text_never_gives_the_same_bytes_and_shows_nothing(algorithm: str) -> None:
    cipher = FieldCipher(BOTH, "k1", algorithm)
    tokens = {cipher.encrypt("330203199001011234", context="person.number") for _ in range(50)}
    assert len(tokens) == 50
    assert not any(b"3302" in token for token in tokens)
    assert {len(token) for token in tokens} == {3 + len("k1") + 12 + 18 + 16}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_value_cannot_be_moved_to_another_column(algorithm: str) -> None:
    cipher = FieldCipher(BOTH, "k1", algorithm)
    token = cipher.encrypt("张伟", context="person.name")
    for context in ("person.phone", "person.nam", "person.name2", ""):
        with pytest.raises(DecryptionFailed):
            cipher.decrypt(token, context=context)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_byte_is_protected(algorithm: str) -> None:
    cipher = FieldCipher(BOTH, "k1", algorithm)
    token = cipher.encrypt("张伟", context="person.name")
    for position in range(len(token)):
        for bit in (1, 0x80):
            changed = bytearray(token)
            changed[position] ^= bit
            with pytest.raises(DecryptionFailed):
                cipher.decrypt(bytes(changed), context="person.name")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_cut_and_lengthened_tokens_are_refused(algorithm: str) -> None:
    cipher = FieldCipher(BOTH, "k1", algorithm)
    token = cipher.encrypt("张伟", context="person.name")
    for wrong in [token[:n] for n in range(len(token))] + [token + b"\0"]:
        with pytest.raises(DecryptionFailed):
            cipher.decrypt(wrong, context="person.name")


def test_both_algorithms_and_all_keys_stay_readable() -> None:
    tokens = [
        FieldCipher(BOTH, active, algorithm).encrypt("张伟", context="c") for active in BOTH for algorithm in ALGORITHMS
    ]
    for active in BOTH:
        for algorithm in ALGORITHMS:
            reader = FieldCipher(BOTH, active, algorithm)
            assert [reader.decrypt(token, context="c") for token in tokens] == ["张伟"] * 4
            assert [reader.needs_rotation(token) for token in tokens].count(False) == 1


def test_rotation_is_told_by_key_and_algorithm() -> None:
    token = FieldCipher({"k1": OLD}, "k1", AES).encrypt("x", context="c")
    assert not FieldCipher(BOTH, "k1", AES).needs_rotation(token)
    assert FieldCipher(BOTH, "2026-11", AES).needs_rotation(token)
    assert FieldCipher(BOTH, "k1", SM4).needs_rotation(token)
    with pytest.raises(DecryptionFailed):
        FieldCipher(BOTH, "k1", AES).needs_rotation(b"not ours")


def test_a_retired_key_is_reported_without_content() -> None:
    token = FieldCipher({"k1": OLD}, "k1", AES).encrypt("330203199001011234", context="c")
    with pytest.raises(DecryptionFailed) as caught:
        FieldCipher({"2026-11": NEW}, "2026-11", AES).decrypt(token, context="c")
    assert "3302" not in str(caught.value)
    # The same name for another key is not the same key.
    with pytest.raises(DecryptionFailed):
        FieldCipher({"k1": NEW}, "k1", AES).decrypt(token, context="c")


@pytest.mark.parametrize(
    ("keys", "active", "algorithm"),
    [
        ({"k1": OLD}, "k2", AES),
        ({"k1": OLD[:31]}, "k1", AES),
        ({"k1": OLD}, "k1", "AES-128-CBC"),
        ({"": OLD}, "", AES),
        ({"密钥": OLD}, "密钥", AES),
        ({"k" * 33: OLD}, "k" * 33, AES),
    ],
)
def test_unusable_keys_are_refused(keys: dict[str, bytes], active: str, algorithm: str) -> None:
    with pytest.raises(ValueError, match=r"key|algorithm"):
        FieldCipher(keys, active, algorithm)


@pytest.mark.parametrize("algorithm", [HMAC_SM3, HMAC_SHA256])
def test_lookup_hashes_are_stable_and_told_apart(algorithm: str) -> None:
    hasher = LookupHasher(OLD, algorithm)
    digest = hasher.digest("phone", "+8613800000000")
    assert len(digest) == 32
    assert digest == LookupHasher(OLD, algorithm).digest("phone", "+8613800000000")
    others = {
        hasher.digest("phone", "+8613800000001"),
        hasher.digest("document", "+8613800000000"),
        hasher.digest("phone+86", "13800000000"),
        LookupHasher(NEW, algorithm).digest("phone", "+8613800000000"),
    }
    assert len(others) == 4
    assert digest not in others


def test_lookup_hash_is_the_named_algorithm() -> None:
    message = b"\x00\x05phone13800000000"
    assert LookupHasher(OLD, HMAC_SHA256).digest("phone", "13800000000") == hmac.new(OLD, message, "sha256").digest()
    assert LookupHasher(OLD, HMAC_SM3).digest("phone", "13800000000") == gm.hmac_sm3(OLD, message)


def test_lookup_hasher_refuses_weak_keys_and_other_algorithms() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        LookupHasher(OLD[:16], HMAC_SM3)
    with pytest.raises(ValueError, match="algorithm"):
        LookupHasher(OLD, "MD5")


def test_constant_time_equal() -> None:
    assert constant_time_equal("宁波", "宁波")
    assert constant_time_equal(b"abc", "abc")
    assert not constant_time_equal("abc", "abd")
    assert not constant_time_equal("abc", "abcd")


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=100))
def test_hmac_sm3_follows_rfc_2104(data: bytes, key: bytes) -> None:
    block = (gm.sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = gm.sm3(bytes(b ^ 0x36 for b in block) + data)
    assert gm.hmac_sm3(key, data) == gm.sm3(bytes(b ^ 0x5C for b in block) + inner)


def test_sm2_signs_and_verifies_in_all_shapes() -> None:
    private = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
    text = (
        "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
        "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    )
    public = gm.sm2_public_key(text)
    compressed = ("03" if int(text[-1], 16) % 2 else "02") + text[:64]
    assert public == gm.sm2_public_key("04" + text) == gm.sm2_public_key(bytes.fromhex(compressed))
    signature = gm.sm2_sign(private, public, "宁波".encode())
    assert gm.sm2_verify(public, "宁波".encode(), signature)
    assert gm.sm2_signature_to_der(gm.sm2_signature_to_raw(signature)) == signature
    assert not gm.sm2_verify(public, "宁海".encode(), signature)
    assert not gm.sm2_verify(public, "宁波".encode(), signature, signer=b"other")
    assert not gm.sm2_verify(public, "宁波".encode(), b"not DER")
    assert not gm.sm2_verify(public, "宁波".encode(), b"")


@pytest.mark.parametrize("raw", ["00" * 64, "04" + "11" * 64, "12", "zz", ""])
def test_points_off_the_curve_are_no_keys(raw: str) -> None:
    with pytest.raises(ValueError, match="not an SM2 public key"):
        gm.sm2_public_key(raw)


def test_raw_signatures_have_64_bytes() -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        gm.sm2_signature_to_der(hashlib.sha256(b"x").digest())
