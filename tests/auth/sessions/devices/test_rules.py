"""Devices and places in words."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.sessions.devices import rules
from auth.sessions.devices.rules import Place

WECHAT_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.53"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0"


@pytest.mark.parametrize(
    ("user_agent", "channel", "zh", "en"),
    [
        (WECHAT_IPHONE, "WXMP", "iPhone · 微信小程序", "iPhone · the WeChat mini-program"),
        (WECHAT_IPHONE, "H5", "iPhone · 微信 · 网页", "iPhone · WeChat · a web page"),
        (EDGE, "H5", "Windows 电脑 · Edge 浏览器 · 网页", "Windows computer · Edge · a web page"),
        ("Dalvik/2.1.0 (Linux; U; Android 15)", "APP", "安卓手机 · “宁波政务” App", "Android phone · the Ningbo Government app"),
        ("<script>alert(1)</script>", "APP", "“宁波政务” App", "the Ningbo Government app"),
        (None, "APP", "“宁波政务” App", "the Ningbo Government app"),
        (EDGE, "KIOSK", "大厅自助终端", "a kiosk in a service hall"),
    ],
)  # fmt: skip
def test_a_device_in_words(user_agent: str | None, channel: str, zh: str, en: str) -> None:
    assert rules.device_words(user_agent, channel) == zh
    assert rules.device_words(user_agent, channel, english=True) == en


def test_an_update_makes_no_other_device() -> None:
    newer = WECHAT_IPHONE.replace("18_1", "18_2").replace("8.0.53", "8.0.54")
    assert rules.device_words(newer, "WXMP") == rules.device_words(WECHAT_IPHONE, "WXMP")


@pytest.mark.parametrize(
    ("address", "kind", "words"),
    [
        ("127.0.0.1", Place.THIS_MACHINE, "本机"),
        ("::1", Place.THIS_MACHINE, "本机"),
        ("10.1.2.3", Place.INTERNAL, "内部网络（如政务服务大厅、单位）"),
        ("192.168.0.9", Place.INTERNAL, "内部网络（如政务服务大厅、单位）"),
        ("fd00::1", Place.INTERNAL, "内部网络（如政务服务大厅、单位）"),
        ("100.64.0.1", Place.CARRIER, "运营商移动网络"),
        ("122.247.9.8", Place.INTERNET, "互联网 122.247.*.*"),
        ("::ffff:122.247.9.8", Place.INTERNET, "互联网 122.247.*.*"),
        ("240e:390::1", Place.INTERNET, "互联网 240e:0390:…"),
        ("nonsense", Place.UNKNOWN, "未知"),
        (None, Place.UNKNOWN, "未知"),
    ],
)
def test_a_place_in_words(address: str | None, kind: Place, words: str) -> None:
    assert rules.place(address) is kind
    assert rules.place_words(address) == words


def test_rebinding_waits() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert rules.rebinding_frozen_until(now) == now + timedelta(hours=72)
