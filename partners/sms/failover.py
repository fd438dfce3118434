"""Two senders of short messages, the second for when the first is away: the ports CodeSender and ShortMessages.

What comes of asking one      a one-time code                       a message
certainly not sent, outage    the next one is asked                 the next one is asked
answer lost (unknown)         the next one is asked: the same       nobody else is asked: it may have gone out; the same
                              code twice is harmless, none is not   sender is asked again, who knows the request already
too many to this number       refused: another sender would only    as for a code
                              get round the limit
refused for good              refused                               refused

Who was away is asked last for half a minute (all processes know it, through Redis), so that an outage costs one person
the wait and not everybody. While Redis is away messages go to the first sender alone: nothing could be remembered.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from redis.exceptions import RedisError

from core import cache
from core.ports import PartnerUnavailable
from notifications.channels.ports import NotSent, NumberLimited, SmsReport

# How long a sender that was away is asked last [D].
REST_SECONDS = 30
# Longer than anybody asks again (notifications.channels.rules.REPEAT_WITHIN).
_REMEMBER_SECONDS = 900

log = logging.getLogger("partners.sms")


class Sender(Protocol):
    """One platform of short messages."""

    @property
    def name(self) -> str:
        """Its name, as in the address of its reports."""
        ...

    def send_code(self, phone: str, code: str, minutes: int, purpose: str) -> None:
        """As `CodeSender.send_code`."""
        ...

    def send(self, *, phone: str, template: str, params: Mapping[str, str], out_id: str, attempt: int) -> str:
        """As `ShortMessages.send`."""
        ...

    def read_reports(self, body: bytes) -> Sequence[SmsReport]:
        """The reports in a body that this platform pushed. Raises `ValueError` for another shape."""
        ...


class SmsFailover:
    """Asks `senders` in order, those that were away just now last."""

    def __init__(self, senders: Sequence[Sender]) -> None:
        self._senders = tuple(senders)

    def send_code(self, phone: str, code: str, minutes: int, purpose: str) -> None:
        """Send a one-time code. Raises `PartnerUnavailable` when all are away, `PartnerRefused`."""
        fault = PartnerUnavailable("sms")
        for sender in self._in_order():
            try:
                sender.send_code(phone, code, minutes, purpose)
            except NumberLimited:
                raise
            except PartnerUnavailable as away:
                self._rest(sender)
                fault = away
            else:
                return
        raise fault

    def send(self, *, phone: str, template: str, params: Mapping[str, str], out_id: str, attempt: int) -> str:
        """Send one message; the platform's id of it. Raises `NotSent`, `PartnerUnavailable`, `PartnerRefused`."""
        key = f"sms:asked:{{{out_id}}}:{attempt}"
        senders, sure = self._for_message(key)
        fault = PartnerUnavailable("sms")
        for sender in senders:
            if not sure:
                self._remember(key, sender)
            try:
                return sender.send(phone=phone, template=template, params=params, out_id=out_id, attempt=attempt)
            except NumberLimited:
                raise
            except NotSent as away:
                self._rest(sender)
                fault = away
            except PartnerUnavailable:
                self._rest(sender)
                raise
        raise fault

    def read_reports(self, partner: str, body: bytes) -> Sequence[SmsReport]:
        """The reports that `partner` pushed. Raises `ValueError` for another shape or partner."""
        for sender in self._senders:
            if sender.name == partner:
                return sender.read_reports(body)
        raise ValueError("no such sender")

    def _for_message(self, key: str) -> tuple[Sequence[Sender], bool]:
        """Whom to ask, and whether that is settled: by an earlier question, or because nothing can be remembered."""
        try:
            asked = cache.client().get(key)
        except RedisError:
            return self._senders[:1], True
        earlier = [sender for sender in self._senders if sender.name == asked]
        return (earlier, True) if earlier else (self._in_order(), False)

    @staticmethod
    def _remember(key: str, sender: Sender) -> None:
        """Before asking: who may have it if nobody answers. Raises `NotSent` when that can't be noted any more."""
        try:
            cache.client().set(key, sender.name, ex=_REMEMBER_SECONDS)
        except RedisError:
            raise NotSent(sender.name) from None

    def _in_order(self) -> list[Sender]:
        """All senders, those that rest at the end."""
        try:
            resting = cache.client().mget([_rest_key(sender) for sender in self._senders])
        except RedisError:
            return list(self._senders)
        pairs = list(zip(self._senders, resting, strict=True))
        return [sender for sender, rests in pairs if not rests] + [sender for sender, rests in pairs if rests]

    @staticmethod
    def _rest(sender: Sender) -> None:
        log.warning("%s is away", sender.name)
        try:
            cache.client().set(_rest_key(sender), "1", ex=REST_SECONDS)
        except RedisError:
            return


def _rest_key(sender: Sender) -> str:
    return f"{{sms:rests}}:{sender.name}"
