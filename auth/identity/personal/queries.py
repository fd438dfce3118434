"""The person's own evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from auth.identity.conflicts.models import IdentityConflict
from auth.identity.conflicts.rules import ConflictState
from auth.identity.models import IdentityEvidence
from auth.identity.reviews.models import IdentityReview
from auth.identity.reviews.rules import ReviewState
from auth.personal_data.ports import OpenMatter

_UNDER_REVIEW = ("身份信息人工复核中", "Being reviewed by the source")
_IN_CONFLICT = ("身份登记待核实", "To be looked into by a registrar")


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """What was proven, when, by whom it was checked, and until when it counts."""
    rows = session.scalars(
        select(IdentityEvidence).where(IdentityEvidence.subject_id == subject_id).order_by(IdentityEvidence.id)
    )
    return {
        "evidence": [
            {
                "type": row.type,
                "checked_by": row.provider,
                "result": row.result,
                "at": row.at,
                "expires_at": row.expires_at,
                "revoked_at": row.revoked_at,
            }
            for row in rows
        ]
    }


def open_matters(session: Session, subject_id: UUID) -> Sequence[OpenMatter]:
    """Reviews that wait for the source, and claims to one document that wait for a registrar."""
    reviews = session.scalars(
        select(IdentityReview.id).where(
            IdentityReview.subject_id == subject_id, IdentityReview.state == ReviewState.WAITING
        )
    )
    sides = or_(IdentityConflict.claimant_id == subject_id, IdentityConflict.holder_id == subject_id)
    conflicts = session.scalars(select(IdentityConflict.id).where(sides, IdentityConflict.state == ConflictState.OPEN))
    return [
        *(OpenMatter("IDENTITY_REVIEW", str(one), "实名认证", _UNDER_REVIEW) for one in reviews),
        *(OpenMatter("IDENTITY_CONFLICT", str(one), "实名认证", _IN_CONFLICT) for one in conflicts),
    ]
