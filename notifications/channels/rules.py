"""When a message may go out, and the states of a delivery. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from core.clock import SHANGHAI
from core.errors import StateConflict
from notifications.templates.rules import Policy

# A partner that was asked answers within seconds: an older question lost its worker.
ANSWER_WITHIN = timedelta(seconds=60)
# The SMS platform recognises a repeated request for 15 minutes; a repetition later than this could reach a person twice.
REPEAT_WITHIN = timedelta(minutes=10)


class Channel(StrEnum):
    """A way out besides the inbox."""

    WECHAT = "WECHAT"
    SMS = "SMS"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "PENDING"
    ASKING = "ASKING"  # the partner was asked and has not answered yet
    UNANSWERED = "UNANSWERED"  # the answer never came: it may have gone out or not
    SENT = "SENT"  # the partner took it
    DELIVERED = "DELIVERED"  # the report says it reached the phone
    FAILED = "FAILED"  # refused for good, or reported as not delivered
    NO_CONSENT = "NO_CONSENT"  # the person allows no (more) WeChat messages of this kind
    SKIPPED = "SKIPPED"  # not needed: read already, superseded, or no address


_S = DeliveryState

TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    _S.PENDING: frozenset({_S.ASKING, _S.NO_CONSENT, _S.SKIPPED}),
    _S.ASKING: frozenset({_S.PENDING, _S.UNANSWERED, _S.SENT, _S.DELIVERED, _S.FAILED, _S.NO_CONSENT}),
    _S.UNANSWERED: frozenset({_S.ASKING, _S.DELIVERED, _S.FAILED}),
    _S.SENT: frozenset({_S.DELIVERED, _S.FAILED}),
    _S.DELIVERED: frozenset(),
    _S.FAILED: frozenset(),
    _S.NO_CONSENT: frozenset(),
    _S.SKIPPED: frozenset(),
}


def check_move(before: DeliveryState, after: DeliveryState) -> None:
    """Raise `StateConflict` unless the table allows the move."""
    if after not in TRANSITIONS[before]:
        raise StateConflict()


def allowed_at(moment: datetime, policy: Policy, *, at_night: bool) -> datetime:
    """`moment`, or the end of the quiet hours it falls into (Shanghai time; the start is quiet, the end is not).

    `at_night`: the template may go out at any hour (a called ticket, a courier at the door).
    """
    local = moment.astimezone(SHANGHAI)
    late = local.time() >= policy.quiet_from
    if at_night or not (late or local.time() < policy.quiet_until):
        return moment
    morning = local.replace(hour=policy.quiet_until.hour, minute=policy.quiet_until.minute, second=0, microsecond=0)
    return morning + timedelta(days=1) if late else morning


def may_ask_again(channel: Channel, first_asked: datetime, now: datetime) -> bool:
    """Whether an unanswered request may be repeated: only where the partner recognises it as the same one."""
    return channel is Channel.SMS and now - first_asked < REPEAT_WITHIN
