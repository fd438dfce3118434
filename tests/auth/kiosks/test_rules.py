"""How a kiosk signs (S46)."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth.identity.rules import EvidenceType, Proof, Result, level
from auth.kiosks import rules

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
SIGNED = rules.message(method="POST", path="/api/v1/kiosk/sign-in", time="1", nonce="n", body=b"{}")


def pem(key: Ed25519PrivateKey | X25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_the_message_is_what_the_page_says() -> None:
    assert SIGNED == (
        b"POST\n/api/v1/kiosk/sign-in\n1\nn\n44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


def test_only_the_kiosks_own_key_signs() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    assert rules.is_signed(pem(key), key.sign(SIGNED), SIGNED)
    assert not rules.is_signed(pem(key), other.sign(SIGNED), SIGNED)
    assert not rules.is_signed(pem(key), key.sign(SIGNED + b" "), SIGNED)
    assert not rules.is_signed(pem(key), b"", SIGNED)


def test_other_keys_are_refused() -> None:
    assert rules.is_key(pem(Ed25519PrivateKey.generate()))
    assert not rules.is_key(pem(X25519PrivateKey.generate()))
    assert not rules.is_key("nonsense")
    assert not rules.is_signed(pem(X25519PrivateKey.generate()), b"x" * 64, SIGNED)


@pytest.mark.parametrize(
    ("offset", "timely"), [(0, True), (60, True), (-60, True), (61, False), (-61, False), (86_400, False)]
)
def test_a_minute_either_way(offset: int, timely: bool) -> None:
    assert rules.is_timely(str(int(NOW.timestamp()) + offset), NOW) is timely


@pytest.mark.parametrize("time", ["", "soon", "-1", "1.5", "9" * 20, "٣"])
def test_times_that_are_none(time: str) -> None:
    assert not rules.is_timely(time, NOW)


@pytest.mark.parametrize(
    ("kinds", "elsewhere", "at_kiosk"),
    [
        ((), 0, 1),
        ((EvidenceType.PHONE,), 1, 1),
        ((EvidenceType.HALL,), 0, 2),
        ((EvidenceType.PHONE, EvidenceType.NAME_NUMBER), 2, 2),
        ((EvidenceType.PHONE, EvidenceType.HALL), 3, 2),
    ],
)
def test_the_card_stands_for_the_phone_and_reaches_level_2_at_most(
    kinds: tuple[EvidenceType, ...], elsewhere: int, at_kiosk: int
) -> None:
    proofs = [Proof(kind, Result.PASS, NOW) for kind in kinds]
    assert level(proofs, NOW) == elsewhere
    assert level(proofs, NOW, channel="KIOSK") == at_kiosk
