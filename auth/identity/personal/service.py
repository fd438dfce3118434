"""Forgetting. The session is given; nothing here commits."""

from __future__ import annotations

import secrets

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from auth.identity.models import IdentityEvidence
from auth.identity.rules import Revocation
from auth.sessions import authenticator
from core import clock

_HASH_BYTES = 32


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """Nothing that was proven counts any more, and what it was can't be found again."""
    now = clock.now()
    rows = session.execute(
        select(IdentityEvidence.id, IdentityEvidence.revoked_at).where(IdentityEvidence.subject_id == event.subject_id)
    ).all()
    for row in rows:
        gone = {} if row.revoked_at else {"revoked_at": now, "revoked_reason": Revocation.ACCOUNT_CLOSED}
        session.execute(
            update(IdentityEvidence)
            .where(IdentityEvidence.id == row.id)
            .values(subject_hash=secrets.token_bytes(_HASH_BYTES), reference=None, **gone)
        )
    authenticator.changed(session, event.subject_id)
