"""Message push against WeChat's published examples (PROTOCOLS 1.6)."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from notifications.preferences.ports import PushRefused
from partners.wechat.push import WeChatPushReader, signature, unseal

_FILE = Path(__file__).parents[2] / "data" / "vectors.json"
VECTORS: dict[str, dict[str, Any]] = {
    vector["id"]: vector for vector in json.loads(_FILE.read_text())["vectors"] if vector["area"] == "wechat"
}
SEALED = [key for key, vector in VECTORS.items() if "encodingAESKey" in vector["input"]]


def test_the_published_check_of_the_address() -> None:
    vector = VECTORS["wx.push.url_verify"]
    given = vector["input"]
    assert signature(given["token"], given["timestamp"], given["nonce"]) == vector["expected"]["signature"]


@pytest.mark.parametrize("key", SEALED)
def test_published_sealed_messages(key: str) -> None:
    given, expected = VECTORS[key]["input"], VECTORS[key]["expected"]
    made = signature(given["token"], given["timestamp"], given["nonce"], given["Encrypt"])
    assert made == expected["msg_signature"]
    message, app_id = unseal(given["encodingAESKey"], given["Encrypt"])
    assert message.decode() == expected["msg"]
    assert app_id == expected.get("tail_appid", given["appid"])


def test_the_published_example_is_refused_as_too_old(settings: Settings) -> None:
    given, expected = (
        VECTORS["wx.push.secure_json.decrypt"]["input"],
        VECTORS["wx.push.secure_json.decrypt"]["expected"],
    )
    reader = WeChatPushReader(
        replace(
            settings.wechat,
            app_id=given["appid"],
            push_token=given["token"],
            push_aes_key=given["encodingAESKey"],
        )
    )
    query = {
        "timestamp": given["timestamp"],
        "nonce": given["nonce"],
        "encrypt_type": "aes",
        "msg_signature": expected["msg_signature"],
    }
    with pytest.raises(PushRefused) as refusal:
        reader.read(query, json.dumps({"Encrypt": given["Encrypt"]}).encode())
    assert refusal.value.reason == "STALE"


@pytest.mark.parametrize(
    "sealed", ["", "a", "%%%%", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(64)).decode()]
)
def test_what_can_not_be_unsealed_is_refused(sealed: str) -> None:
    with pytest.raises(PushRefused):
        unseal("A" * 43, sealed)


@pytest.mark.parametrize("at", [0, 40, -1])
def test_a_changed_byte_is_noticed_or_changes_the_message(at: int) -> None:
    given, expected = (
        VECTORS["wx.push.secure_json.decrypt"]["input"],
        VECTORS["wx.push.secure_json.decrypt"]["expected"],
    )
    raw = bytearray(base64.b64decode(given["Encrypt"]))
    raw[at] ^= 1
    try:
        message, _ = unseal(given["encodingAESKey"], base64.b64encode(bytes(raw)).decode())
    except PushRefused:
        return
    assert message.decode(errors="replace") != expected["msg"]
