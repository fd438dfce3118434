"""Closing the account takes every consent back. The session is given; nothing here commits."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from auth.oidc.consents.events import ConsentWithdrawn
from auth.oidc.consents.models import OidcConsent
from core import clock, events


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """No system sees anything any longer; their tokens die, and they are told."""
    keys = session.scalars(
        update(OidcConsent)
        .where(OidcConsent.subject_id == event.subject_id, OidcConsent.withdrawn_at.is_(None))
        .values(withdrawn_at=clock.wall())
        .returning(OidcConsent.client_key)
    ).all()
    for client_key in keys:
        events.publish(session, ConsentWithdrawn(event.subject_id, client_key))
