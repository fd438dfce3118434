"""The person's own roles in organisations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.organisations.models import Organisation, OrganisationRole


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every role the person holds or held, in which organisation, from when until when."""
    rows = session.execute(
        select(OrganisationRole, Organisation.name)
        .join(Organisation, Organisation.subject_id == OrganisationRole.organisation_id)
        .where(OrganisationRole.person_id == subject_id)
        .order_by(OrganisationRole.id)
    )
    return {
        "roles": [
            {
                "organisation": name,
                "role": role.role,
                "actions": role.actions,
                "from": role.valid_from,
                "until": role.valid_until,
                "state": role.state,
                "ended_at": role.ended_at,
            }
            for role, name in rows
        ]
    }
