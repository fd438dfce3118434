"""People who can be told something, and messages to them."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select

from auth.accounts import service as accounts
from auth.accounts.ports import WeChatIdentity
from core import db
from notifications.channels.models import Delivery
from notifications.channels.rules import Channel
from notifications.messages import service as messages

# 张伟 of the sandbox's personas.
PHONE, OPENID = "+8619900000001", "oNBsandboxzhang_wei000000000"

FIELDS = {
    "matter": "存量房转移登记",
    "number": "NB2611240000010",
    "when": "2026-12-05 09:00",
    "where": "宁波市行政服务中心",
    "amount": "80.00",
}


def reader(*, phone: str | None = PHONE, openid: str | None = None, language: str = "zh") -> UUID:
    """Somebody with a phone and, if wished, a WeChat account."""
    with db.transaction() as session:
        subject_id = accounts.open_subject(session, language=language)
        if phone is not None:
            accounts.bind_phone(session, subject_id=subject_id, phone_e164=phone)
        if openid is not None:
            accounts.bind_wechat(session, subject_id=subject_id, identity=WeChatIdentity(openid))
        return subject_id


def tell(to: UUID, template: str = "PREREVIEW_PASSED", *, matter_id: UUID | None = None, **fields: str) -> UUID:
    """Announce something to `to`; the message."""
    with db.transaction() as session:
        made = messages.announce(
            session,
            to=to,
            template=template,
            event_id=f"test:{uuid4()}",
            fields={**FIELDS, **fields},
            matter_type="test",
            matter_id=matter_id or uuid4(),
        )
    assert made is not None
    return made


def delivery(message_id: UUID, channel: Channel) -> Delivery | None:
    """How far the message got through the channel; None when nothing was tried."""
    with db.transaction() as session:
        return session.scalar(
            select(Delivery).where(Delivery.message_id == message_id, Delivery.channel == channel.value)
        )
