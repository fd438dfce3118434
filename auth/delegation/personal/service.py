"""Closing the account ends every power. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from auth.delegation import queries, rules
from auth.delegation.record import service as record
from auth.delegation.rules import State
from core.actors import System

_CLOSING = System("account-closing")


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """What the person gave is revoked, what they held is given up; the history stays."""
    for row in queries.all_between(session, [event.subject_id]):
        state = State(row.state)
        if state not in rules.OPEN | rules.LIVE:
            continue
        held = State.RENOUNCED if state in rules.LIVE else State.DECLINED
        to = State.REVOKED if row.principal_id == event.subject_id else held
        record.move(session, _CLOSING, row, to, note="account closed")
