"""Reads of authorization requests on their way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.oidc.clients import queries as clients
from auth.oidc.interactions.errors import InteractionOver
from auth.oidc.interactions.models import OidcInteraction
from auth.oidc.interactions.rules import is_handle


@dataclass(frozen=True, slots=True)
class Interaction:
    """What a page shows of a request: who asks, in which language, and which level it wants (0: any).

    `home`: where the client's sign-in starts, for a person who has to start again; None if the client has told none.
    """

    id: str
    client_id: str
    name_zh: str
    name_en: str
    department: str
    home: str | None
    language: str
    need: int
    essential: bool
    expires_at: datetime


def view(session: Session, interaction: str) -> Interaction:
    """The request with this id, also one that is over. It says nothing about the person. Raises `InteractionOver` for an unknown one."""
    if not is_handle(interaction):
        raise InteractionOver()
    row = session.scalar(select(OidcInteraction).where(OidcInteraction.handle == interaction))
    if row is None:
        raise InteractionOver()
    client = clients.by_key(session, row.client_key)
    return Interaction(
        id=row.handle,
        client_id=client.client_id,
        name_zh=client.name_zh,
        name_en=client.name_en,
        department=client.department,
        home=client.initiate_login_uri,
        language=row.language,
        need=min(row.levels, default=0),
        essential=row.essential,
        expires_at=row.expires_at,
    )
