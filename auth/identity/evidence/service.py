"""What happens to rows of evidence. The session is given; nothing here commits."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, delete, select, text, update
from sqlalchemy.orm import Session

from auth.identity import rules
from auth.identity.models import IdentityEvidence
from auth.identity.policies import queries as policies
from auth.identity.reviews.models import IdentityReview
from auth.identity.rules import EvidenceType, Purpose, Result, Revocation
from auth.sessions import authenticator
from core import clock

SIGN_IN = "sign-in"
_BATCH = 500


def add(
    session: Session,
    *,
    subject_id: UUID,
    kind: EvidenceType,
    provider: str,
    subject_hash: bytes,
    result: Result,
    valid_until: date | None = None,
    look_again_at: datetime | None = None,
    reference: str | None = None,
    purpose: Purpose | None = None,
    session_id: UUID | None = None,
) -> IdentityEvidence:
    """Add one piece of evidence. `valid_until`: the document's last day (ID-2).

    With `purpose`, what passed is a fresh proof for one act of that kind too, in the session `session_id` or, without
    one, in any of the person's; a kind that never is a fresh proof counts for its level only.
    """
    now = clock.now()
    policy = policies.in_force(now)
    until = rules.fresh_until(kind, now, policy=policy) if purpose is not None and result is Result.PASS else None
    evidence = IdentityEvidence(
        subject_id=subject_id,
        type=kind,
        provider=provider,
        subject_hash=subject_hash,
        result=result,
        at=now,
        expires_at=rules.expiry(kind, now, valid_until=valid_until, policy=policy),
        look_again_at=look_again_at,
        reference=reference,
        purpose=purpose if until else None,
        fresh_until=until,
        session_id=session_id,
    )
    session.add(evidence)
    session.flush()
    authenticator.changed(session, subject_id)
    return evidence


def prove_factor(
    session: Session, *, subject_id: UUID, kind: EvidenceType, subject_hash: bytes, at: datetime | None = None
) -> None:
    """A phone or a WeChat account was proven (just now, if not told `at`): renew its evidence, or add it.

    Every sign-in stands in the sign-in history, so the evidence needs only the last one.
    """
    proven = at or clock.now()
    ends = rules.expiry(kind, proven, policy=policies.in_force(proven))
    renewed = session.scalar(
        update(IdentityEvidence)
        .where(
            IdentityEvidence.subject_id == subject_id,
            IdentityEvidence.type == kind,
            IdentityEvidence.subject_hash == subject_hash,
            IdentityEvidence.revoked_at.is_(None),
        )
        .values(at=proven, expires_at=ends)
        .returning(IdentityEvidence.id)
    )
    if renewed is None:
        session.add(
            IdentityEvidence(
                subject_id=subject_id,
                type=kind,
                provider=SIGN_IN,
                subject_hash=subject_hash,
                result=Result.PASS,
                at=proven,
                expires_at=ends,
            )
        )
        session.flush()
    authenticator.changed(session, subject_id)


def revoke_factor(
    session: Session, *, subject_id: UUID, kind: EvidenceType, subject_hash: bytes, reason: Revocation
) -> datetime | None:
    """A phone or a WeChat account no longer belongs to the subject: its evidence stops counting (ID-4). When it was proven."""
    proven = session.scalar(
        update(IdentityEvidence)
        .where(
            IdentityEvidence.subject_id == subject_id,
            IdentityEvidence.type == kind,
            IdentityEvidence.subject_hash == subject_hash,
            IdentityEvidence.revoked_at.is_(None),
        )
        .values(revoked_at=clock.now(), revoked_reason=reason)
        .returning(IdentityEvidence.at)
    )
    authenticator.changed(session, subject_id)
    return proven


def move(session: Session, *, absorbed: UUID, kept: UUID) -> None:
    """Evidence of the absorbed subject is the kept one's."""
    session.execute(update(IdentityEvidence).where(IdentityEvidence.subject_id == absorbed).values(subject_id=kept))


def forget_attempts(session: Session, before: datetime) -> int:
    """P-6: delete a batch of what failed or was never decided before `before`; how many. A review that is kept keeps its own."""
    reviewed = select(IdentityReview.evidence_id).where(IdentityReview.evidence_id == IdentityEvidence.id)
    return _forget(session, text("result <> 'PASS'"), IdentityEvidence.at < before, ~reviewed.exists())


def forget_ended(session: Session, before: datetime) -> int:
    """P-6: delete a batch of proofs that stopped counting before `before`; how many. What never ends is kept."""
    return _forget(session, text("result = 'PASS'"), IdentityEvidence.expires_at < before)


def _forget(session: Session, kind: TextClause, *which: ColumnElement[bool]) -> int:
    # The result is written out, so that the partial indexes serve.
    old = select(IdentityEvidence.id).where(kind, *which).limit(_BATCH).with_for_update(skip_locked=True)
    gone = delete(IdentityEvidence).where(IdentityEvidence.id.in_(session.scalars(old).all()))
    return len(session.scalars(gone.returning(IdentityEvidence.id)).all())
