"""Subscribe messages (PROTOCOLS 1.5): the port notifications.channels.ports.SubscribeMessages."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Literal

from core.ports import PartnerRefused
from notifications.channels.ports import NotSent, Wechat, WechatAnswer
from partners.http import NotReached
from partners.wechat.client import PARTNER, MiniProgramClient
from partners.wechat.values import fit

# Their code → our word. 43101: refused, or the allowed messages are used up; 43107 and 43108: blocked by settings.
_NO_CONSENT = frozenset({"43101", "43107", "43108"})
_REJECTIONS = {
    "40003": "OPENID_UNKNOWN",
    "40037": "TEMPLATE_UNKNOWN",
    "41030": "PAGE_UNKNOWN",
    "47003": "VALUE_REFUSED",
}

MiniProgramState = Literal["formal", "trial", "developer"]

log = logging.getLogger("partners.wechat")


class WeChatSubscribeMessages:
    """Sends by the templates registered in our account: `template_ids` by group (WECHAT_TEMPLATE_IDS).

    `state`: which version of the mini-program a message opens.
    """

    def __init__(
        self, client: MiniProgramClient, template_ids: Mapping[str, str], state: MiniProgramState = "formal"
    ) -> None:
        self._client = client
        self._template_ids = template_ids
        self._state = state

    def offers(self, group: str) -> bool:
        """Whether our account has a template registered for `group`."""
        return group in self._template_ids

    def send(self, *, openid: str, group: str, page: str, values: Mapping[str, str]) -> WechatAnswer:
        """Send one message. Raises `NotSent` when it can't have arrived, `PartnerUnavailable` when that is unknown."""
        try:
            data = {key: {"value": fit(key, value)} for key, value in values.items()}
        except ValueError as fault:
            log.error("a subscribe message has a value WeChat wouldn't take", extra={"group": group})
            return WechatAnswer(Wechat.REJECTED, reason=f"VALUE_UNFIT {fault}"[:100])
        body = {
            "touser": openid,
            "template_id": self._template_ids[group],
            "page": page,
            "miniprogram_state": self._state,
            "lang": "zh_CN",
            "data": data,
        }
        try:
            return WechatAnswer(Wechat.SENT, reference=self._client.subscribe_send(body))
        except NotReached:
            raise NotSent(PARTNER, reached=False) from None
        except PartnerRefused as refusal:
            if refusal.code in _NO_CONSENT:
                return WechatAnswer(Wechat.NO_CONSENT)
            return WechatAnswer(Wechat.REJECTED, reason=_REJECTIONS.get(refusal.code, f"WECHAT_{refusal.code}"))
