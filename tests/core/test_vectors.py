"""The published vectors that concern the core: national identifiers and national algorithms (PROTOCOLS 6)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from core import gm
from core.identifiers import DocumentType, IdentifierError, normalise_credit_code, normalise_document

VECTORS: dict[str, dict[str, Any]] = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parent.parent / "data" / "vectors.json").read_text())["vectors"]
}
ID_NUMBERS = [key for key in VECTORS if key.startswith("id18.")]
CREDIT_CODES = [key for key in VECTORS if key.startswith("uscc.")]


def test_none_of_the_area_is_left_out() -> None:
    covered = {*ID_NUMBERS, *CREDIT_CODES, "sm3.abc", "sm4.ecb.1", "sm2.sign.gbt32918.5"}
    assert covered == {key for key, vector in VECTORS.items() if vector["area"] in {"national_id", "gm"}}


@pytest.mark.parametrize("key", ID_NUMBERS)
def test_id_numbers(key: str) -> None:
    vector = VECTORS[key]
    number = vector["input"]["number"]
    if vector["expected"]["valid"]:
        assert normalise_document(DocumentType.RESIDENT_ID, number).number == number
        assert number[-1] == vector["expected"]["check"]
    else:
        with pytest.raises(IdentifierError):
            normalise_document(DocumentType.RESIDENT_ID, number)


@pytest.mark.parametrize("key", CREDIT_CODES)
def test_credit_codes(key: str) -> None:
    assert VECTORS[key]["expected"]["valid"]
    code = VECTORS[key]["input"]["code"]
    assert normalise_credit_code(code).code == code


def test_sm3() -> None:
    vector = VECTORS["sm3.abc"]
    assert gm.sm3(vector["input"]["ascii"].encode()).hex() == vector["expected"]["hex"]


def test_sm4() -> None:
    vector = VECTORS["sm4.ecb.1"]
    key, plain = (bytes.fromhex(vector["input"][name]) for name in ("key", "plaintext"))
    # The padding of a full block is a block of its own behind the one of the standard.
    assert gm.sm4_ecb_encrypt(key, plain)[:16].hex() == vector["expected"]["ciphertext"]


def test_sm4_as_the_carrier_uses_it() -> None:
    vector = VECTORS["ems.logitcsInterface.1"]
    sign_key = vector["input"]["sign_key_b64"]
    sealed = gm.sm4_ecb_encrypt(base64.b64decode(sign_key), (vector["input"]["payload"] + sign_key).encode())
    assert "|$4|" + base64.b64encode(sealed).decode() == vector["expected"]["logitcsInterface"]


def test_sm4_gcm_of_rfc_8998() -> None:
    """RFC 8998, appendix A.1."""
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    associated = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = b"".join(bytes([byte]) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    assert gm.sm4_gcm_encrypt(key, nonce, plain, associated) == sealed
    assert gm.sm4_gcm_decrypt(key, nonce, sealed, associated) == plain


def test_sm2_signature() -> None:
    vector = VECTORS["sm2.sign.gbt32918.5"]
    given, expected = vector["input"], vector["expected"]
    public = gm.sm2_public_key(given["public_key_xy"])
    message, signer = given["message"].encode(), given["user_id"].encode()
    signature = gm.sm2_signature_to_der(bytes.fromhex(expected["r"] + expected["s"]))
    assert gm.sm2_verify(public, message, signature, signer=signer)
    assert not gm.sm2_verify(public, message + b".", signature, signer=signer)
    assert gm.sm2_verify(public, message, gm.sm2_sign(bytes.fromhex(given["private_key"]), public, message))


def test_sm2_digest_of_the_signer_and_message() -> None:
    """ZA and e of the standard's example, from our SM3."""
    vector = VECTORS["sm2.sign.gbt32918.5"]
    curve = (
        "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
        "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
        "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
        "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
    )
    signer = vector["input"]["user_id"].encode()
    za = gm.sm3((len(signer) * 8).to_bytes(2) + signer + bytes.fromhex(curve + vector["input"]["public_key_xy"]))
    assert za.hex().upper() == vector["expected"]["ZA"]
    assert gm.sm3(za + vector["input"]["message"].encode()).hex().upper() == vector["expected"]["e"]
