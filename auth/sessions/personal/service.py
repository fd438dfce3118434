"""Closing the account signs everything out. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from auth.sessions import service
from auth.sessions.rules import EndReason


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """Every device is signed out; the sign-in history stays for its year (2.7: logs are kept)."""
    service.end_all(session, subject_id=event.subject_id, reason=EndReason.CLOSED)
