"""Opening and deciding conflicts. The session is given; nothing here commits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import service as accounts
from auth.accounts.documents import service as documents
from auth.accounts.events import SubjectsMerged
from auth.identity.conflicts.models import IdentityConflict
from auth.identity.conflicts.rules import TRANSITIONS, ConflictState
from auth.identity.evidence import service as rows
from auth.identity.rules import EvidenceType, Result
from auth.sessions import service as sessions
from core import audit, clock, ids
from core.actors import Actor, Staff
from core.errors import NotFound, StateConflict
from core.identifiers import DocumentNumber, DocumentType, normalise_document

_OBJECT = "identity_conflict"
_PROVIDER = "registrar"


def open_conflict(
    session: Session, *, actor: Actor, claimant_id: UUID, holder_id: UUID, name: str, document: DocumentNumber
) -> None:
    """Note that `claimant_id` proved a document that `holder_id` had proven under another name; once while it is open."""
    opened = session.scalar(
        insert(IdentityConflict)
        .values(
            id=ids.uuid7(),
            claimant_id=claimant_id,
            holder_id=holder_id,
            document_type=document.type.value,
            document_lookup=people.document_lookup(document),
            document_number=document.number,
            name=name,
            opened_at=clock.now(),
            state=ConflictState.OPEN.value,
        )
        .on_conflict_do_nothing(
            index_elements=["claimant_id", "document_lookup"],
            index_where=text("state = 'OPEN'"),
        )
        .returning(IdentityConflict.id)
    )
    if opened is not None:
        audit.record(
            session,
            actor=actor,
            action="identity.conflict_opened",
            object_type=_OBJECT,
            object_id=opened,
            claimant=str(claimant_id),
            holder=str(holder_id),
        )


def decide(
    session: Session, *, actor: Staff, conflict_id: UUID, document: DocumentNumber, verdict: ConflictState, reason: str
) -> IdentityConflict:
    """A clerk with the claimant and the document at the counter decides (PEERS 4.2); both subjects keep all they own.

    SAME_PERSON: the name had changed; the two are one person from now on, under the name on the card. TWO_PEOPLE: the
    number was issued twice, and each keeps it. REFUSED: the claim was wrong. Raises `NotFound`, `StateConflict`
    (decided before; another document in hand), `AccountFrozen`.
    """
    found = session.scalar(select(IdentityConflict).where(IdentityConflict.id == conflict_id).with_for_update())
    if found is None:
        raise NotFound()
    claimed = found.document_number
    if verdict not in TRANSITIONS[ConflictState(found.state)] or claimed is None or found.name is None:
        raise StateConflict()
    if document != normalise_document(DocumentType(found.document_type), claimed):
        raise StateConflict()
    accounts.lock(session, found.claimant_id, found.holder_id)
    if verdict is not ConflictState.REFUSED and people.standing(session, found.claimant_id).proven:
        # The claimant has proven another document meanwhile: proven persons are never merged.
        raise StateConflict()
    person: UUID | None = None
    if verdict is ConflictState.SAME_PERSON:
        person = found.holder_id
        sessions.restrict(session, subject_id=found.claimant_id, proofs_since=clock.now())
        accounts.rename(session, actor=actor, subject_id=person, name=found.name)
        accounts.merge(session, actor=actor, kept=person, absorbed=found.claimant_id, proofs_since=clock.now())
        accounts.trust_bindings(session, person)
    elif verdict is ConflictState.TWO_PEOPLE:
        person = found.claimant_id
        documents.bind_twin(session, actor=actor, subject_id=person, name=found.name, document=document)
    if person is not None:
        rows.add(
            session,
            subject_id=person,
            kind=EvidenceType.HALL,
            provider=_PROVIDER,
            subject_hash=people.document_lookup(document),
            result=Result.PASS,
            reference=str(found.id),
        )
    before = found.state
    found.state, found.decided_at, found.decided_by, found.reason = verdict, clock.now(), actor.staff_id, reason
    found.name = found.document_number = None
    audit.record(
        session,
        actor=actor,
        action="identity.conflict_decided",
        object_type=_OBJECT,
        object_id=found.id,
        before={"state": before},
        after={"state": verdict.value, "reason": reason},
    )
    return found


def move_owner(session: Session, event: SubjectsMerged) -> None:
    """Claims of the absorbed subject are the kept one's, unless they are against the kept one itself: that is settled."""
    session.execute(
        update(IdentityConflict)
        .where(IdentityConflict.claimant_id == event.absorbed, IdentityConflict.holder_id != event.kept)
        .values(claimant_id=event.kept)
    )
