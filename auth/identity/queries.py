"""Reads of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.identity import rules
from auth.identity.evidence import queries as evidence
from auth.identity.models import IdentityEvidence
from auth.identity.policies import queries as policies
from auth.identity.rules import EvidenceType, Proof, Purpose, Result
from auth.identity.ways.rules import step_up_ways
from core import clock
from core.actors import Citizen
from core.masking import mask_document, mask_name, mask_phone
from core.statements import Statement


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence as its owner sees it."""

    type: EvidenceType
    result: Result
    at: datetime
    expires_at: datetime | None
    look_again_at: datetime | None


_PROOFS = Statement(
    select(IdentityEvidence.type, IdentityEvidence.at, IdentityEvidence.expires_at).where(
        IdentityEvidence.subject_id == bindparam("subject_id"),
        IdentityEvidence.result == Result.PASS,
        IdentityEvidence.revoked_at.is_(None),
    )
)


def level(
    session: Session, subject_id: UUID, now: datetime, *, since: datetime | None = None, channel: str | None = None
) -> int:
    """The level of `subject_id` at `now`, 0 to 3; `since` and `channel` as in `rules.level`."""
    rows = _PROOFS.rows(session, subject_id=subject_id)
    proofs = [Proof(EvidenceType(kind), Result.PASS, at, expires_at) for kind, at, expires_at in rows]
    return rules.level(proofs, now, since=since, policy=policies.in_force(now), channel=channel)


def has_fresh_proof(session: Session, actor: Citizen, purpose: Purpose, now: datetime) -> bool:
    """Whether the actor could use a fresh proof for `purpose` at `now`. Only `service.spend_fresh_proof` uses one up."""
    return evidence.standing_fresh_proof(session, actor=actor, purpose=purpose, now=now) is not None


def cooling_down_until(
    session: Session, subject_id: UUID, now: datetime, *, device_known_since: datetime | None = None
) -> datetime | None:
    """Until when property matters of a person must wait after a change of phone; None when they needn't (ID-13).

    A device that was signed in before the change (`device_known_since`) may go on.
    """
    return rules.cooling_down_until(
        phone_changed_at=people.phone_changed_at(session, subject_id),
        device_known_since=device_known_since,
        now=now,
        policy=policies.in_force(now),
    )


def standing_evidence(session: Session, subject_id: UUID, now: datetime) -> Sequence[Evidence]:
    """The newest evidence of each kind that counts or waits for a review, oldest kind first."""
    rows = session.scalars(
        select(IdentityEvidence)
        .where(IdentityEvidence.subject_id == subject_id, IdentityEvidence.revoked_at.is_(None))
        .order_by(IdentityEvidence.at, IdentityEvidence.id)
    )
    newest: dict[str, Evidence] = {}
    for row in rows:
        seen = Evidence(EvidenceType(row.type), Result(row.result), row.at, row.expires_at, row.look_again_at)
        counting = rules.counts(Proof(seen.type, seen.result, seen.at, seen.expires_at), now)
        if counting:
            newest[row.type] = seen
        elif seen.result is Result.REVIEW:
            newest.setdefault(row.type, seen)
        elif seen.result is Result.FAIL and row.type in newest and newest[row.type].result is Result.REVIEW:
            # A later no ends the waiting.
            del newest[row.type]
    return list(newest.values())


@dataclass(frozen=True, slots=True)
class Account:
    """What the account page shows, personal values already masked (P-7)."""

    level: int
    name: str | None
    phone: str | None
    document_type: str | None
    document_label: str | None
    document_number: str | None
    evidence: Sequence[Evidence]
    ways: Sequence[dict[str, object]]


def account(session: Session, actor: Citizen, *, language: str) -> Account:
    """The actor's account: masked person, evidence, and the ways to the next level.

    A session below level 2 may be that of a phone's new owner: it sees no name and no document (ID-4).
    """
    found = people.person(session, actor.subject_id)
    shown = actor.level >= 2 and found.name is not None
    document = found.document_type if shown else None
    return Account(
        level=actor.level,
        name=mask_name(found.name) if shown and found.name else None,
        phone=mask_phone(found.phone) if found.phone else None,
        document_type=document.value if document else None,
        document_label=document.label if document else None,
        document_number=mask_document(found.document_number) if shown and found.document_number else None,
        evidence=standing_evidence(session, actor.subject_id, clock.now()),
        ways=step_up_ways(actor.channel, actor.level, actor.level + 1, language=language, document=document),
    )
