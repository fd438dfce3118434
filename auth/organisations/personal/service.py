"""Closing the account ends every role. The session is given; nothing here commits."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts.events import AccountClosed
from auth.organisations import service
from auth.organisations.models import OrganisationRole
from core.actors import System

_CLOSING = System("account-closing")
_HASH_BYTES = 32


def on_account_closed(session: Session, event: AccountClosed) -> None:
    """Roles end at once, and who held them is forgotten; that there was one stays as the organisation's history."""
    rows = session.scalars(
        select(OrganisationRole).where(OrganisationRole.person_id == event.subject_id).with_for_update()
    ).all()
    for role in rows:
        service.resign(session, actor=_CLOSING, role=role)
        role.person_name, role.person_lookup = "", secrets.token_bytes(_HASH_BYTES)
