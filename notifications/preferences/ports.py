"""What preferences hear from WeChat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class PushRefused(Exception):
    """A push that is not WeChat's, not for us, or not of now. `reason` is our word, for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Push:
    """What WeChat pushed. `text` is the message itself; `refused` the groups of messages the person no longer wants."""

    openid: str = field(repr=False)
    event: str
    refused: tuple[str, ...]
    text: bytes = field(repr=False)


class WeChatPushes(Protocol):
    """Reads what WeChat pushes to our address."""

    def echo(self, query: Mapping[str, str]) -> str:
        """What to answer when WeChat checks the address. Raises `PushRefused`."""
        ...

    def read(self, query: Mapping[str, str], body: bytes) -> Push:
        """A push, verified and opened. Raises `PushRefused`."""
        ...
