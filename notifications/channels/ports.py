"""What the channels need from outside, in our words. Adapters are in `partners`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.ports import PartnerUnavailable


class NotSent(PartnerUnavailable):
    """The partner certainly didn't send it, for a reason that may pass: busy, a quota, an outage.

    `reached` is False when this request never arrived, which says nothing about an earlier one.
    """

    def __init__(self, partner: str = "", *, reached: bool = True) -> None:
        super().__init__(partner)
        self.reached = reached


class NumberLimited(NotSent):
    """Not sent: too many messages to this number lately. It says nothing about the platform, and no other gets round it."""


class Wechat(StrEnum):
    """What became of a subscribe message."""

    SENT = "SENT"
    NO_CONSENT = "NO_CONSENT"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class WechatAnswer:
    """The outcome; `reference` is WeChat's id of a message that was sent, `reason` our word for a rejection."""

    outcome: Wechat
    reference: str = ""
    reason: str = ""


class SubscribeMessages(Protocol):
    """WeChat subscribe messages."""

    def offers(self, group: str) -> bool:
        """Whether our account has a template registered for `group`."""
        ...

    def send(self, *, openid: str, group: str, page: str, values: Mapping[str, str]) -> WechatAnswer:
        """Send one message; `values` by the template's keys, any length. Raises `NotSent`, `PartnerUnavailable` (unknown)."""
        ...


@dataclass(frozen=True, slots=True)
class SmsReport:
    """What the SMS platform says became of a message. `code` is its own."""

    reference: str
    out_id: str
    delivered: bool
    code: str


class ShortMessages(Protocol):
    """Short messages by registered templates."""

    def send(self, *, phone: str, template: str, params: Mapping[str, str], out_id: str, attempt: int) -> str:
        """Send one message to `phone` (E.164); the platform's id of it, "" when it knew the request already.

        The same `out_id` and `attempt` within 15 minutes is the same request and goes out once. Raises `NotSent`,
        `PartnerUnavailable` (unknown), `PartnerRefused` (for good; `code` is our word).
        """
        ...

    def read_reports(self, partner: str, body: bytes) -> Sequence[SmsReport]:
        """The delivery reports in a body that the platform `partner` pushed. Raises `ValueError` for another shape."""
        ...
