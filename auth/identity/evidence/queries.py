"""Reads of evidence that must not depend on sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from auth.identity.models import IdentityEvidence
from auth.identity.rules import Purpose, Result
from core.actors import Citizen


def standing_fresh_proof(
    session: Session, *, actor: Citizen, purpose: Purpose, now: datetime, lock: bool = False
) -> IdentityEvidence | None:
    """The oldest fresh proof that `actor` could use for `purpose` at `now`, or None. It belongs to who acts (DG-2)."""
    query = (
        select(IdentityEvidence)
        .where(
            IdentityEvidence.subject_id == actor.subject_id,
            IdentityEvidence.purpose == purpose,
            IdentityEvidence.result == Result.PASS,
            IdentityEvidence.revoked_at.is_(None),
            IdentityEvidence.used_at.is_(None),
            IdentityEvidence.at <= now,
            IdentityEvidence.fresh_until > now,
            or_(IdentityEvidence.session_id.is_(None), IdentityEvidence.session_id == actor.session_id),
        )
        .order_by(IdentityEvidence.at, IdentityEvidence.id)
        .limit(1)
    )
    # Two acts that race for one proof: the second waits, and then finds it used.
    return session.scalar(query.with_for_update() if lock else query)
