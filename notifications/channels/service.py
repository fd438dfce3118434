"""One message through one channel: queue it, decide whether it still has to go out, record what the partner said.

A run of the job is: `begin` in one transaction, the partner outside of any, `record` in another. Each may be cut off or
run twice; the delivery's state and the unique key (message, channel) keep a person from being told twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import queries as accounts
from core import clock, ids, jobs
from notifications.channels.models import Delivery
from notifications.channels.ports import NotSent, SmsReport
from notifications.channels.rules import (
    ANSWER_WITHIN,
    TRANSITIONS,
    Channel,
    DeliveryState,
    allowed_at,
    check_move,
    may_ask_again,
)
from notifications.messages import queries as messages
from notifications.messages.queries import Outgoing
from notifications.preferences import service as preferences
from notifications.templates import queries as templates
from notifications.templates.rules import ShortMessage, Template, render

log = logging.getLogger("notifications.channels")

JOB = "messages.deliver"

_OPEN = (DeliveryState.PENDING, DeliveryState.ASKING, DeliveryState.UNANSWERED)


@dataclass(frozen=True, slots=True)
class Asking:
    """What to ask the partner: everything `send` needs. Address and values are a person's and are never printed."""

    delivery_id: UUID
    channel: Channel
    address: str = field(repr=False)
    template: str
    values: Mapping[str, str] = field(repr=False)
    page: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the partner said, in our words. `reached` is False when the request can't have arrived."""

    state: DeliveryState
    reference: str = ""
    reason: str = ""
    reached: bool = True


def queue(session: Session, *, message_id: UUID, template: Template, now: datetime) -> None:
    """Queue the jobs of a new message: WeChat at once; SMS at once, or when nobody has read it in time (3.17)."""
    policy = templates.policy()
    sms = {
        ShortMessage.ALWAYS: timedelta(),
        ShortMessage.FALLBACK: timedelta(minutes=policy.fallback_minutes) if template.important else None,
        ShortMessage.NEVER: None,
    }[template.short_message]
    waits = {Channel.WECHAT: timedelta() if template.subscription else None, Channel.SMS: sms}
    jobs.defer_all(
        session,
        [
            _job(message_id, channel, allowed_at(now + wait, policy, at_night=template.at_night), now)
            for channel, wait in waits.items()
            if wait is not None
        ],
    )


def _job(message_id: UUID, channel: Channel, at: datetime, now: datetime) -> jobs.Job:
    arguments = {"message_id": str(message_id), "channel": channel.value}
    return jobs.Job(JOB, arguments, at=at if at > now else None)


def begin(session: Session, *, message_id: UUID, channel: Channel) -> Asking | None:
    """What is to be sent now, its delivery marked ASKING; None when there is nothing (more) to do.

    In quiet hours the job is queued again for the morning. Raises `NotSent` while another run may still be asking.
    """
    now = clock.now()
    message = messages.outgoing(session, message_id)
    if message is None:
        return None
    at = allowed_at(now, templates.policy(), at_night=message.template.at_night)
    if at > now:
        jobs.defer_all(session, [_job(message_id, channel, at, now)])
        return None
    delivery = _locked(session, message_id, channel, now)
    if DeliveryState(delivery.state) not in _OPEN:
        return None
    if delivery.state == DeliveryState.ASKING:
        if delivery.asked_at is not None and now - delivery.asked_at < ANSWER_WITHIN:
            raise NotSent()
        _move(delivery, DeliveryState.UNANSWERED, now)
    if delivery.state == DeliveryState.UNANSWERED:
        if not may_ask_again(channel, delivery.first_asked_at or now, now):
            log.error("a delivery stays unanswered", extra={"delivery": str(delivery.id), "channel": channel.value})
            return None
    elif not _still_needed(session, delivery, message, now):
        return None
    return _ask(session, delivery, message, now)


def _still_needed(session: Session, delivery: Delivery, message: Outgoing, now: datetime) -> bool:
    """Whether a PENDING delivery is to go out; if not, it is closed with the reason."""
    reason = ""
    if message.superseded:
        reason = "SUPERSEDED"
    elif delivery.channel == Channel.SMS:
        if message.read and message.template.short_message is ShortMessage.FALLBACK:
            reason = "READ"
    elif not preferences.may_send(session, message.receiver_id, _group(message)):
        _move(delivery, DeliveryState.NO_CONSENT, now)
        return False
    if not reason and not _address(session, delivery, message):
        reason = "NO_ADDRESS"
    if reason:
        _move(delivery, DeliveryState.SKIPPED, now, reason=reason)
    return not reason


def _address(session: Session, delivery: Delivery, message: Outgoing) -> str:
    contact = accounts.contact(session, message.receiver_id)
    return (contact.phone if delivery.channel == Channel.SMS else contact.openid) or ""


def _group(message: Outgoing) -> str:
    return message.template.subscription.group if message.template.subscription else ""


def _ask(session: Session, delivery: Delivery, message: Outgoing, now: datetime) -> Asking:
    _move(delivery, DeliveryState.ASKING, now)
    delivery.asked_at = now
    delivery.first_asked_at = delivery.first_asked_at or now
    template = message.template
    if delivery.channel == Channel.SMS:
        names = template.registration.fields if template.registration else ()
        target, page = template.code, ""
        values = {name: render("{" + name + "}", message.fields) for name in names}
    else:
        target, page = _group(message), f"{templates.policy().page}?id={message.id}"
        texts = template.subscription.values if template.subscription else {}
        # An empty value is the adapter's to replace: what WeChat takes instead depends on the key.
        values = {key: render(text, message.fields, nothing="") for key, text in texts.items()}
    return Asking(
        delivery_id=delivery.id,
        channel=Channel(delivery.channel),
        address=_address(session, delivery, message),
        template=target,
        values=values,
        page=page,
        attempt=delivery.attempt,
    )


def record(session: Session, *, delivery_id: UUID, outcome: Outcome) -> None:
    """Record the partner's answer. A report that was faster than this leaves its own state."""
    now = clock.now()
    delivery = session.execute(select(Delivery).where(Delivery.id == delivery_id).with_for_update()).scalar_one()
    delivery.reference = outcome.reference or delivery.reference
    if delivery.state != DeliveryState.ASKING:
        return
    state = outcome.state
    if state is DeliveryState.PENDING and not outcome.reached and delivery.first_asked_at != delivery.asked_at:
        # This time it didn't arrive, but an earlier time it may have: the question is still the same one.
        state = DeliveryState.UNANSWERED
    _move(delivery, state, now, reason=outcome.reason)
    if state is DeliveryState.PENDING:
        delivery.attempt += 1
        delivery.first_asked_at = None
    if delivery.channel == Channel.WECHAT:
        _after_wechat(session, delivery, state, now)


def _after_wechat(session: Session, delivery: Delivery, state: DeliveryState, now: datetime) -> None:
    """Keep the count of what the person allowed; an important message that WeChat refused goes out as SMS at once."""
    message = messages.outgoing(session, delivery.message_id)
    if message is None:
        return
    group = _group(message)
    if state is DeliveryState.SENT:
        preferences.spend(session, message.receiver_id, group)
    if state is DeliveryState.NO_CONSENT:
        preferences.withdraw(session, message.receiver_id, group)
    if state in (DeliveryState.NO_CONSENT, DeliveryState.FAILED):
        template = message.template
        if template.important and template.short_message is ShortMessage.FALLBACK:
            jobs.defer_all(session, [_job(message.id, Channel.SMS, now, now)])


def apply_reports(session: Session, *, reports: Iterable[SmsReport]) -> int:
    """Record what became of short messages; reports of unknown ones (one-time codes, other systems) are passed over."""
    now, known = clock.now(), 0
    for report in sorted(reports, key=lambda report: (report.out_id, report.reference)):
        delivery = _reported(session, report)
        state = DeliveryState.DELIVERED if report.delivered else DeliveryState.FAILED
        if delivery is None or state not in TRANSITIONS[DeliveryState(delivery.state)]:
            continue
        known += 1
        _move(delivery, state, now, reason="" if report.delivered else f"REPORTED {report.code}"[:100])
        delivery.reference = delivery.reference or report.reference
    return known


def _reported(session: Session, report: SmsReport) -> Delivery | None:
    """The SMS delivery of a report: by the platform's id, or by ours while we don't know the platform's yet."""
    ours = None
    try:
        ours = UUID(report.out_id)
    except ValueError:
        log.debug("a report without our id")
    by_ours = (Delivery.id == ours) & Delivery.reference.is_(None)
    return session.scalars(
        select(Delivery)
        .where(Delivery.channel == Channel.SMS, or_(Delivery.reference == report.reference, by_ours))
        .limit(1)
        .with_for_update()
    ).first()


def _locked(session: Session, message_id: UUID, channel: Channel, now: datetime) -> Delivery:
    """The delivery of a message and channel, made PENDING if there is none yet, its row locked."""
    session.execute(
        insert(Delivery)
        .values(
            id=ids.uuid7(),
            message_id=message_id,
            channel=channel.value,
            state=DeliveryState.PENDING.value,
            attempt=0,
            created_at=now,
            reason="",
        )
        .on_conflict_do_nothing(index_elements=[Delivery.message_id, Delivery.channel])
    )
    return session.execute(
        select(Delivery).where(Delivery.message_id == message_id, Delivery.channel == channel.value).with_for_update()
    ).scalar_one()


def _move(delivery: Delivery, state: DeliveryState, now: datetime, *, reason: str = "") -> None:
    check_move(DeliveryState(delivery.state), state)
    delivery.state, delivery.reason = state.value, reason
    delivery.finished_at = None if state in _OPEN else now
