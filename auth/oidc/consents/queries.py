"""Reads of consents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.oidc.clients import queries as clients
from auth.oidc.consents.models import OidcConsent
from auth.oidc.consents.rules import Field
from core.web.paging import Page, by_id


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A standing consent as its person sees it."""

    id: UUID
    client_id: str
    name_zh: str
    name_en: str
    department: str
    fields: tuple[Field, ...]
    given_at: datetime


def standing(session: Session, *, subject_id: UUID, client_key: UUID) -> OidcConsent | None:
    """The consent of a person to a client that stands, or None."""
    return session.scalar(
        select(OidcConsent).where(
            OidcConsent.subject_id == subject_id,
            OidcConsent.client_key == client_key,
            OidcConsent.withdrawn_at.is_(None),
        )
    )


def authorisations(session: Session, *, subject_id: UUID, args: Mapping[str, Any]) -> Page[Authorisation]:
    """The person's standing consents, a page at a time, the newest first."""
    query = select(OidcConsent).where(OidcConsent.subject_id == subject_id, OidcConsent.withdrawn_at.is_(None))
    found = by_id(session, query, OidcConsent.id, args)
    known = clients.by_keys(session, {row.client_key for row in found.items})
    items = [
        Authorisation(
            row.id,
            known[row.client_key].client_id,
            known[row.client_key].name_zh,
            known[row.client_key].name_en,
            known[row.client_key].department,
            tuple(field for field in Field if field in row.fields),
            row.given_at,
        )
        for row in found.items
    ]
    return Page(items, found.next_cursor)
