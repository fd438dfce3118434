"""Giving and withdrawing consent. The session is given; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from auth.accounts import service as accounts
from auth.accounts.events import SubjectsMerged
from auth.consent import queries
from auth.consent.models import Consent
from auth.consent.rules import TEXTS, ConsentKind
from core import audit, clock
from core.actors import Citizen
from core.errors import NotFound, StateConflict


def give(session: Session, *, actor: Citizen, kind: ConsentKind, text_version: str) -> Sequence[queries.Standing]:
    """Consent to the text in force; what stands afterwards. Raises `StateConflict` for a text that is no longer shown."""
    if text_version != TEXTS[kind]:
        raise StateConflict()
    accounts.lock(session, actor.subject_id)
    if not queries.has_given(session, actor.subject_id, kind):
        _end(session, actor.subject_id, kind)
        session.add(
            Consent(
                subject_id=actor.subject_id,
                kind=kind,
                text_version=text_version,
                channel=actor.channel,
                given_at=clock.now(),
            )
        )
        session.flush()
        _record(session, actor, "consent.give", kind)
    return queries.standing(session, actor.subject_id)


def withdraw(session: Session, *, actor: Citizen, kind: str) -> None:
    """Take a consent back. Raises `NotFound` when none of this kind stands, or there is no such kind."""
    if kind not in TEXTS or not _end(session, actor.subject_id, ConsentKind(kind)):
        raise NotFound()
    _record(session, actor, "consent.withdraw", ConsentKind(kind))


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """The absorbed subject's consents are the kept one's; where both stand, the kept one's goes on."""
    theirs = aliased(Consent)
    kept = select(theirs.kind).where(theirs.subject_id == event.kept, theirs.withdrawn_at.is_(None))
    session.execute(
        update(Consent)
        .where(Consent.subject_id == event.absorbed, Consent.withdrawn_at.is_(None), Consent.kind.in_(kept))
        .values(withdrawn_at=clock.now())
    )
    session.execute(update(Consent).where(Consent.subject_id == event.absorbed).values(subject_id=event.kept))


def _end(session: Session, subject_id: UUID, kind: ConsentKind) -> bool:
    ended = session.scalar(
        update(Consent)
        .where(Consent.subject_id == subject_id, Consent.kind == kind, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=clock.now())
        .returning(Consent.id)
    )
    return ended is not None


def _record(session: Session, actor: Citizen, action: str, kind: ConsentKind) -> None:
    audit.record(
        session, actor=actor, action=action, object_type="subject", object_id=actor.subject_id, kind=kind.value
    )
