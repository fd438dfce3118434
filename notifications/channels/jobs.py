"""Jobs of the channels, on the queue `messages`."""

from __future__ import annotations

from uuid import UUID

from core import callbacks, jobs, ports
from core.db import transaction
from core.ports import PartnerRefused, PartnerUnavailable
from notifications.channels import service
from notifications.channels.ports import NotSent, ShortMessages, SubscribeMessages, Wechat
from notifications.channels.rules import Channel, DeliveryState
from notifications.channels.service import Asking, Outcome

_WECHAT_STATES = {
    Wechat.SENT: DeliveryState.SENT,
    Wechat.NO_CONSENT: DeliveryState.NO_CONSENT,
    Wechat.REJECTED: DeliveryState.FAILED,
}


@jobs.task(service.JOB, queue="messages")
def deliver(message_id: str, channel: str) -> None:
    """Send a message through a channel. Raises `PartnerUnavailable` to be run again later."""
    with transaction() as session:
        asking = service.begin(session, message_id=UUID(message_id), channel=Channel(channel))
    if asking is None:
        return
    outcome, again = _send(asking)
    with transaction() as session:
        service.record(session, delivery_id=asking.delivery_id, outcome=outcome)
    if again is not None:
        raise again


def _send(asking: Asking) -> tuple[Outcome, PartnerUnavailable | None]:
    """Ask the partner: what became of it, and the fault because of which the job must run again."""
    try:
        return _ask(asking), None
    except NotSent as fault:
        return Outcome(DeliveryState.PENDING, reason="NOT_SENT", reached=fault.reached), fault
    except PartnerUnavailable as fault:
        # Only the SMS platform recognises a repetition; WeChat would send twice.
        return Outcome(DeliveryState.UNANSWERED), fault if asking.channel is Channel.SMS else None
    except PartnerRefused as refusal:
        return Outcome(DeliveryState.FAILED, reason=refusal.code), None


def _ask(asking: Asking) -> Outcome:
    if asking.channel is Channel.SMS:
        reference = ports.get(ShortMessages).send(
            phone=asking.address,
            template=asking.template,
            params=asking.values,
            out_id=str(asking.delivery_id),
            attempt=asking.attempt,
        )
        return Outcome(DeliveryState.SENT, reference=reference)
    wechat = ports.get(SubscribeMessages)
    if not wechat.offers(asking.template):
        return Outcome(DeliveryState.FAILED, reason="NO_TEMPLATE")
    answer = wechat.send(openid=asking.address, group=asking.template, page=asking.page, values=asking.values)
    return Outcome(_WECHAT_STATES[answer.outcome], reference=answer.reference, reason=answer.reason)


@jobs.task("messages.apply_sms_reports", queue="messages", retry=jobs.NO_RETRY)
def apply_sms_reports(callback_id: str) -> None:
    """Work on a stored push of the SMS platform."""
    with transaction() as session:
        partner, body = callbacks.get(session, UUID(callback_id))
        try:
            reports = ports.get(ShortMessages).read_reports(partner, body)
        except ValueError:
            callbacks.finish(session, UUID(callback_id), "FAILED", "not an array of reports")
            return
        known = service.apply_reports(session, reports=reports)
        callbacks.finish(session, UUID(callback_id), "DONE", f"{known} of {len(reports)} known")
