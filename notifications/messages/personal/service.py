"""Telling people about their rights at work, and forgetting. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from auth.personal_data.closing.events import ClosingAsked, ClosingEnded
from auth.personal_data.corrections.events import CorrectionAnswered
from auth.personal_data.exports.events import ExportReady
from core import clock
from notifications.messages.models import Message
from notifications.messages.service import announce


def on_export_ready(session: Session, event: ExportReady) -> None:
    """The person's copy is there."""
    announce(
        session,
        to=event.subject_id,
        template="DATA_EXPORT_READY",
        event_id=f"data-export:{event.export_id}",
        fields={"when": f"{clock.local(event.expires_at):%Y-%m-%d %H:%M}"},
        matter_type="data_export",
        matter_id=event.export_id,
    )


def on_correction_answered(session: Session, event: CorrectionAnswered) -> None:
    """A request was answered; what it says is read in the app."""
    announce(
        session,
        to=event.subject_id,
        template="CORRECTION_ANSWERED",
        event_id=f"correction:{event.request_id}",
        fields={},
        matter_type="correction",
        matter_id=event.request_id,
    )


def on_closing_asked(session: Session, event: ClosingAsked) -> None:
    """The account will be closed: whoever didn't ask for it must hear of it."""
    day = f"{clock.local(event.effective_at):%m月%d日}"
    _warn(session, event, f"已申请注销账号，{day}生效，之前可撤回")


def on_closing_ended(session: Session, event: ClosingEnded) -> None:
    """The account goes on."""
    _warn(session, event, "注销未完成，您有未办结的事项" if event.blocked else "已撤回注销申请")


def _warn(session: Session, event: ClosingAsked | ClosingEnded, note: str) -> None:
    announce(
        session,
        to=event.subject_id,
        template="SECURITY_NOTICE",
        event_id=f"account-closing:{event.closing_id}:{type(event).__name__}",
        fields={"note": note},
    )


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """The inbox and what was still to be sent are gone."""
    session.execute(delete(Message).where(Message.receiver_id == event.subject_id))
