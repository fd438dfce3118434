"""Where Alipay can be opened. Pure."""

from __future__ import annotations

from core.actors import Channel

CHANNELS: tuple[Channel, ...] = ("APP", "H5")
# How WeChat's own browser names itself, in mini-programs' pages and in pages opened from a chat.
_WECHAT_BROWSER = "MicroMessenger"


def opens(channel: str, device: str | None) -> bool:
    """Whether Alipay can be opened on `channel` by the browser that calls itself `device` (2.6: not inside WeChat)."""
    return channel in CHANNELS and _WECHAT_BROWSER.lower() not in (device or "").lower()
