"""What happens to documents after the first one was bound. The session is given; nothing here commits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.accounts import queries
from auth.accounts.errors import DocumentDiffers
from auth.accounts.models import SubjectDocument
from core import audit, clock, ids, security
from core.actors import Actor
from core.errors import StateConflict
from core.identifiers import DocumentNumber


def replace(
    session: Session, *, actor: Actor, subject_id: UUID, old: DocumentNumber, new: DocumentNumber, name: str
) -> None:
    """The person, whose subject is locked, has a new document in place of `old`, as a passport that was renewed (DG-7).

    The old one stays as history and goes on finding this person. Raises `DocumentDiffers` when `old` is not the one in
    use, or `new` belongs to somebody else.
    """
    found = session.scalar(
        select(SubjectDocument)
        .where(SubjectDocument.subject_id == subject_id, SubjectDocument.ended_at.is_(None))
        .with_for_update()
    )
    if found is None or queries.document(session, subject_id) != old:
        raise DocumentDiffers()
    if new == old:
        return
    found.ended_at = clock.now()
    session.flush()
    known = session.scalar(
        select(SubjectDocument).where(SubjectDocument.document_lookup == queries.document_lookup(new)).with_for_update()
    )
    if known is not None and known.subject_id != subject_id:
        raise DocumentDiffers()
    if known is not None:
        # Back to one the person had before, as when a lost passport was found.
        known.ended_at, known.name = None, name
    elif not _bind(session, subject_id=subject_id, name=name, document=new, lookup=queries.document_lookup(new)):
        raise DocumentDiffers()
    _record(session, actor, "account.replace_document", subject_id, before=old, after=new)


def bind_twin(session: Session, *, actor: Actor, subject_id: UUID, name: str, document: DocumentNumber) -> int:
    """A registrar has found that a number was issued to two people: bind it to the second one as well (PEERS 4.2).

    The subject is locked and has no document. Look-ups by the number go on finding the first. Returns which one of
    those with that number this is (1, 2 …).
    """
    # Not by number: that of a twin is encrypted. The first holder's row is the lock of all of them.
    session.execute(
        select(SubjectDocument.id)
        .where(SubjectDocument.document_lookup == queries.document_lookup(document))
        .with_for_update()
    )
    twin = 1
    while session.scalar(select(func.count()).where(SubjectDocument.document_lookup == _twin_lookup(document, twin))):
        twin += 1
    lookup = _twin_lookup(document, twin)
    if not _bind(session, subject_id=subject_id, name=name, document=document, lookup=lookup, twin=twin):
        raise StateConflict()
    _record(session, actor, "account.bind_twin", subject_id, after=document)
    return twin


def _twin_lookup(document: DocumentNumber, twin: int) -> bytes:
    return security.lookup("document", f"{document.key}#{twin}")


def _bind(
    session: Session, *, subject_id: UUID, name: str, document: DocumentNumber, lookup: bytes, twin: int = 0
) -> bool:
    bound = session.scalar(
        insert(SubjectDocument)
        .values(
            id=ids.uuid7(),
            subject_id=subject_id,
            document_type=document.type.value,
            document_number=document.number,
            document_lookup=lookup,
            name=name,
            bound_at=clock.now(),
            twin=twin,
        )
        .on_conflict_do_nothing(index_elements=["document_lookup"])
        .returning(SubjectDocument.id)
    )
    return bound is not None


def _record(
    session: Session,
    actor: Actor,
    action: str,
    subject_id: UUID,
    *,
    before: DocumentNumber | None = None,
    after: DocumentNumber,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        object_type="subject",
        object_id=subject_id,
        before={"document": before.key} if before else None,
        after={"document": after.key},
    )
