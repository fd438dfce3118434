"""What to call a device and a place, and what follows when a sign-in is disowned. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Policy:
    """The city's choices [D]."""

    # A device that hasn't signed in for so long is new again.
    known_for: timedelta = timedelta(days=90)
    # Whoever took an account over must not be able to lock its owner out by a new phone or WeChat account.
    rebinding_frozen_for: timedelta = timedelta(hours=72)


POLICY = Policy()

# In this order: a client says what it is like as well as what it is, so the narrower word comes first.
_MACHINES = (
    ("iPhone", "iPhone", "iPhone"),
    ("iPad", "iPad", "iPad"),
    ("HarmonyOS", "鸿蒙手机", "HarmonyOS phone"),
    ("OpenHarmony", "鸿蒙手机", "HarmonyOS phone"),
    ("Android", "安卓手机", "Android phone"),
    ("Windows", "Windows 电脑", "Windows computer"),
    ("Macintosh", "苹果电脑", "Mac"),
    ("Linux", "Linux 电脑", "Linux computer"),
)
_PROGRAMS = (
    ("MicroMessenger", "微信", "WeChat"),
    ("AlipayClient", "支付宝", "Alipay"),
    ("NingboGov", "“宁波政务” App", "the Ningbo Government app"),
    ("Edg", "Edge 浏览器", "Edge"),
    ("Firefox", "火狐浏览器", "Firefox"),
    ("Chrome", "Chrome 浏览器", "Chrome"),
    ("Safari", "Safari 浏览器", "Safari"),
)
_CHANNELS = {
    "APP": ("“宁波政务” App", "the Ningbo Government app"),
    "WXMP": ("微信小程序", "the WeChat mini-program"),
    "WXOA": ("微信公众号", "the WeChat official account"),
    "H5": ("网页", "a web page"),
    "KIOSK": ("大厅自助终端", "a kiosk in a service hall"),
    "HALL": ("大厅窗口", "a counter of a service hall"),
    "HOTLINE": ("12345 热线", "hotline 12345"),
}


def device_words(user_agent: str | None, channel: str, *, english: bool = False) -> str:
    """A device in words: "iPhone · 微信小程序". Versions are left out, so an update doesn't make another device of it."""
    which = 2 if english else 1
    parts = []
    if channel != "KIOSK" and user_agent:
        parts += [machine[which] for machine in _MACHINES if machine[0] in user_agent][:1]
        if channel == "H5":
            parts += [program[which] for program in _PROGRAMS if program[0] in user_agent][:1]
    return " · ".join([*parts, _CHANNELS[channel][english]] if channel in _CHANNELS else parts)


class Place(StrEnum):
    """Kinds of network address: what can be said of a place without looking anybody up."""

    THIS_MACHINE = "THIS_MACHINE"
    INTERNAL = "INTERNAL"
    CARRIER = "CARRIER"
    INTERNET = "INTERNET"
    UNKNOWN = "UNKNOWN"


_PLACES = {
    Place.THIS_MACHINE: ("本机", "this machine"),
    Place.INTERNAL: ("内部网络（如政务服务大厅、单位）", "an internal network, such as a service hall's"),
    Place.CARRIER: ("运营商移动网络", "a mobile operator's network"),
    Place.INTERNET: ("互联网 {}", "the internet, {}"),
    Place.UNKNOWN: ("未知", "unknown"),
}
_CARRIER_NETWORK = ipaddress.ip_network("100.64.0.0/10")


def place(address: str | None) -> Place:
    """Which kind of address it is (RFC 1918, RFC 6598, RFC 4193)."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return Place.UNKNOWN
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if found.is_loopback:
        return Place.THIS_MACHINE
    if found in _CARRIER_NETWORK:
        return Place.CARRIER
    return Place.INTERNAL if found.is_private or found.is_link_local else Place.INTERNET


def place_words(address: str | None, *, english: bool = False) -> str:
    """A place in words; of an internet address the network only (half of it)."""
    kind = place(address)
    return _PLACES[kind][english].format(_network(address) if kind is Place.INTERNET and address else "")


def _network(address: str) -> str:
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return ":".join(found.exploded.split(":")[:2]) + ":…"
        found = found.ipv4_mapped
    return ".".join(str(found).split(".")[:2]) + ".*.*"


def rebinding_frozen_until(reported_at: datetime, policy: Policy = POLICY) -> datetime:
    """Until when no other phone or WeChat account can be bound after a sign-in was disowned."""
    return reported_at + policy.rebinding_frozen_for
