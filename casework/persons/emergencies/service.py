"""Emergency look-ups. The session is given; nothing here commits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from casework.persons import service as persons
from casework.persons.emergencies import queries, rules
from casework.persons.emergencies.models import EmergencyLookUp
from casework.persons.service import Outcome
from core import audit, calendar, clock
from core.actors import Staff
from core.errors import Forbidden, NotFound, StateConflict
from core.identifiers import DocumentType, normalise_document
from core.limits import hit
from notifications.messages.service import announce

_TEMPLATE = "PERSONAL_DATA_SEEN"
_JUSTIFIED = "经另一名工作人员复核，确属紧急情况"
_UNJUSTIFIED = "经另一名工作人员复核，不属于紧急情况，已按规定处理"
_LATE = "复核尚未在规定时间内完成"


def look_up(session: Session, *, actor: Staff, document_type: str, document_number: str, reason: str) -> Outcome:
    """The holder of a document, for a reason that somebody else reviews; nobody found is an outcome, so that it is kept.

    Raises `IdentifierError`, `RateLimited` (3 a day).
    """
    document = normalise_document(DocumentType(document_type), document_number, today=clock.today())
    hit(rules.LOOKS, str(actor.staff_id))
    subject_id, now = people.find_by_document(session, document), clock.now()
    due = rules.due_at(now, calendar.load(session))
    made = EmergencyLookUp(staff_id=actor.staff_id, subject_id=subject_id, reason=reason, at=now, due_at=due)
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
    """A supervisor says whether it was an emergency, and the person hears of it.

    Raises `NotFound`, `StateConflict` (done), `Forbidden` (the own one).
    """
    look = session.scalar(select(EmergencyLookUp).where(EmergencyLookUp.id == look_id).with_for_update())
    if look is None:
        raise NotFound()
    if look.staff_id == actor.staff_id:
        raise Forbidden()
    if look.reviewed_at is not None:
        raise StateConflict()
    now = clock.now()
    look.reviewed_by, look.reviewed_at, look.justified, look.finding = actor.staff_id, now, justified, finding
    audit.record(
        session,
        actor=actor,
        action="person.review_emergency",
        object_type="emergency_look_up",
        object_id=look.id,
        result="ok" if justified else "anomaly",
    )
    _tell(session, look, _JUSTIFIED if justified else _UNJUSTIFIED, now)
    return look


def tell_overdue(session: Session, now: datetime) -> int:
    """Tell the people whose look-up nobody reviewed in time: waiting for the review must not hide it. How many are late."""
    late = queries.overdue(session, now, lock=True)
    for look in late:
        if look.told_at is None:
            _tell(session, look, _LATE, now)
    return len(late)


def _tell(session: Session, look: EmergencyLookUp, note: str, now: datetime) -> None:
    """Not at the look-up itself: in an emergency the phone may be in the wrong hands [D]."""
    if look.subject_id is None:
        return
    look.told_at = look.told_at or now
    announce(
        session,
        to=look.subject_id,
        template=_TEMPLATE,
        event_id=f"emergency:{look.id}:{rules.verdict(look.justified)}",
        fields={"when": f"{clock.local(look.at):%Y-%m-%d %H:%M}", "note": note},
    )
