"""Data sealed with the session key, against WeChat's own demo data (PROTOCOLS 1.4)."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from partners.wechat.sealed import FRESH_FOR, SealedDataInvalid, decrypt, open_sealed

_FILE = Path(__file__).parents[2] / "data" / "vectors.json"
VECTOR: dict[str, Any] = next(
    vector for vector in json.loads(_FILE.read_text())["vectors"] if vector["id"] == "wx.encryptedData"
)
GIVEN: dict[str, str] = VECTOR["input"]
MADE = datetime.fromtimestamp(VECTOR["expected"]["json"]["watermark"]["timestamp"], UTC)


def opened(*, now: datetime = MADE, app_id: str = GIVEN["appId"], **over: str) -> dict[str, Any]:
    given = {**GIVEN, **over}
    return open_sealed(given["sessionKey"], given["encryptedData"], given["iv"], app_id=app_id, now=now)


def test_the_published_example() -> None:
    assert decrypt(GIVEN["sessionKey"], GIVEN["encryptedData"], GIVEN["iv"]) == VECTOR["expected"]["plaintext"]
    assert opened() == VECTOR["expected"]["json"]


def test_of_another_application_it_is_refused() -> None:
    with pytest.raises(SealedDataInvalid):
        opened(app_id="wx0000000000000000")


def test_the_published_example_is_too_old_today() -> None:
    assert opened(now=MADE + FRESH_FOR)
    for now in (MADE + FRESH_FOR + timedelta(seconds=1), MADE - FRESH_FOR - timedelta(seconds=1), datetime.now(UTC)):
        with pytest.raises(SealedDataInvalid):
            opened(now=now)


def flipped(text: str, at: int) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[at] ^= 1
    return base64.b64encode(bytes(raw)).decode()


@pytest.mark.parametrize("at", [0, 15, 16, -1, -17])
def test_a_changed_byte_never_passes_unseen(at: int) -> None:
    """In the last block the padding breaks; elsewhere the text does. The iv's bytes change the first block's text only."""
    try:
        changed = opened(encryptedData=flipped(GIVEN["encryptedData"], at))
    except SealedDataInvalid:
        return
    assert changed != VECTOR["expected"]["json"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sessionKey": ""},
        {"sessionKey": "tiihtNczf5v6AKRyjwEUhQ"},
        {"sessionKey": base64.b64encode(bytes(32)).decode()},
        {"sessionKey": base64.b64encode(bytes(16)).decode()},
        {"iv": ""},
        {"iv": base64.b64encode(bytes(15)).decode()},
        {"encryptedData": ""},
        {"encryptedData": "not base64!"},
        {"encryptedData": base64.b64encode(bytes(15)).decode()},
        {"encryptedData": base64.b64encode(bytes(32)).decode()},
        {"encryptedData": "一二三四"},
    ],
)
def test_what_can_not_be_opened_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SealedDataInvalid):
        opened(**wrong)  # type: ignore[arg-type]  # texts all
