"""The person's own delegations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from auth.delegation.models import Delegation


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """Every power the person gave or held; who the other side is stays out: that is somebody else's data."""
    mine = or_(Delegation.principal_id == subject_id, Delegation.agent_id == subject_id)
    rows = session.scalars(select(Delegation).where(mine).order_by(Delegation.id))
    return {
        "delegations": [
            {
                "side": "given" if row.principal_id == subject_id else "held",
                "kind": row.kind,
                "scope": row.scope,
                "items": row.scope_values,
                "actions": row.actions,
                "from": row.valid_from,
                "until": row.valid_until,
                "state": row.state,
                "created_at": row.created_at,
                "ended_at": row.ended_at,
            }
            for row in rows
        ]
    }
