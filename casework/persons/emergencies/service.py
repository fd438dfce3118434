"""Emergency look-ups. The session is given; nothing here commits."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from casework.persons import service as persons
from casework.persons.emergencies.models import EmergencyLookUp
from casework.persons.service import Outcome
from core import audit, clock
from core.actors import Staff
from core.errors import Forbidden, NotFound, StateConflict
from core.identifiers import DocumentType, normalise_document
from core.limits import Limit, hit

# An emergency is rare [D].
LOOKS = Limit("emergency-look-ups", 3, 86_400)


def look_up(session: Session, *, actor: Staff, document_type: str, document_number: str, reason: str) -> Outcome:
    """The holder of a document, for a reason that somebody else reviews; nobody found is an outcome, so that it is kept.

    Raises `IdentifierError`, `RateLimited` (3 a day).
    """
    document = normalise_document(DocumentType(document_type), document_number, today=clock.today())
    hit(LOOKS, str(actor.staff_id))
    subject_id = people.find_by_document(session, document)
    made = EmergencyLookUp(staff_id=actor.staff_id, subject_id=subject_id, reason=reason, at=clock.now())
    session.add(made)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="person.emergency_look_up",
        object_type="subject",
        object_id=subject_id or "-",
        look=str(made.id),
    )
    if subject_id is None:
        return Outcome(refusal=NotFound())
    return Outcome(persons.seen(session, subject_id, document))


def review(session: Session, *, actor: Staff, look_id: UUID, justified: bool, finding: str) -> EmergencyLookUp:
    """A supervisor says whether it was an emergency. Raises `NotFound`, `StateConflict` (done), `Forbidden` (the own one)."""
    look = session.scalar(select(EmergencyLookUp).where(EmergencyLookUp.id == look_id).with_for_update())
    if look is None:
        raise NotFound()
    if look.staff_id == actor.staff_id:
        raise Forbidden()
    if look.reviewed_at is not None:
        raise StateConflict()
    look.reviewed_by, look.reviewed_at, look.justified, look.finding = actor.staff_id, clock.now(), justified, finding
    audit.record(
        session,
        actor=actor,
        action="person.review_emergency",
        object_type="emergency_look_up",
        object_id=look.id,
        result="ok" if justified else "anomaly",
    )
    return look
