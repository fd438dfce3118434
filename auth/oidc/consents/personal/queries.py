"""The person's own consents to other systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.oidc.clients import queries as clients
from auth.oidc.consents.models import OidcConsent


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Which system may or might see which fields, since when and until when."""
    rows = session.scalars(
        select(OidcConsent).where(OidcConsent.subject_id == subject_id).order_by(OidcConsent.id)
    ).all()
    known = clients.by_keys(session, {row.client_key for row in rows})
    return {
        "authorisations": [
            {
                "system": known[row.client_key].name_zh,
                "department": known[row.client_key].department,
                "fields": row.fields,
                "given_at": row.given_at,
                "withdrawn_at": row.withdrawn_at,
            }
            for row in rows
        ]
    }
