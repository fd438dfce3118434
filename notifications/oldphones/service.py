"""One short message to the old phone. The session is given; nothing here commits."""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from auth.accounts.events import PhoneReplaced
from core import clock, jobs, ports
from core.ports import PartnerRefused
from notifications.channels.ports import ShortMessages
from notifications.channels.rules import allowed_at
from notifications.templates import queries as templates

JOB = "messages.tell_old_phone"
TEMPLATE = "SECURITY_NOTICE"
NOTE = "绑定的手机号已更换，本号码不再用于登录"

log = logging.getLogger("notifications.oldphones")


def on_phone_replaced(session: Session, event: PhoneReplaced) -> None:
    """Queue the message to the old phone, outside quiet hours (3.17)."""
    now = clock.now()
    at = allowed_at(now, templates.policy(), at_night=templates.template(TEMPLATE).at_night)
    jobs.defer(session, JOB, at=at if at > now else None, binding_id=str(event.binding_id))


def old_phone(session: Session, binding_id: UUID) -> str | None:
    """The phone to tell (E.164); None when nobody is to be told."""
    return accounts.given_up_phone(session, binding_id)


def send(phone: str, binding_id: UUID) -> None:
    """Send the message, once within 15 minutes however often it is tried. Outside any transaction.

    Raises `PartnerUnavailable`; what is refused for good is logged without the number.
    """
    try:
        ports.get(ShortMessages).send(
            phone=phone,
            template=templates.template(TEMPLATE).code,
            params={"note": NOTE},
            out_id=str(binding_id),
            attempt=1,
        )
    except PartnerRefused as refusal:
        log.warning("the old phone was not told", extra={"code": refusal.code})
