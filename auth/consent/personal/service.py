"""Closing the account withdraws everything. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from auth.consent import service
from core.actors import System

_CLOSING = System("account-closing")


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """No consent of the person stands any longer; that there was one stays as history."""
    service.withdraw_all(session, actor=_CLOSING, subject_id=event.subject_id)
