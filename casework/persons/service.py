"""Looking somebody up. The session is given; nothing here commits.

What must be recorded although it is refused (browsing) is returned, not raised: a raise would undo it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.identity import queries as identity
from auth.personal_data.closing import queries as open_matters
from auth.personal_data.ports import OpenMatter
from casework.appointments import queries as appointments
from casework.cases import queries as cases
from casework.persons import rules
from casework.persons.errors import ReferenceNotMatched
from casework.persons.rules import Reference
from casework.queue import queries as queue
from casework.queue.rules import State as TicketState
from core import audit, clock
from core.actors import Staff
from core.errors import NotFound, Problem
from core.identifiers import DocumentNumber, DocumentType, IdentifierError, normalise_document
from core.ids import parse_case_number
from core.limits import hit
from core.masking import mask_document, mask_name, mask_phone

_AT_A_WINDOW = frozenset({TicketState.CALLED, TicketState.SERVING})


@dataclass(frozen=True, slots=True)
class Seen:
    """A person as a clerk sees one: masked (P-7), with what is open."""

    subject_id: UUID
    name: str | None
    phone: str | None
    document_number: str | None
    level: int
    open_matters: Sequence[OpenMatter]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found, or a refusal that is recorded and therefore not raised inside the transaction."""

    seen: Seen | None = None
    refusal: Problem | None = None

    def insist(self) -> Seen:
        """The person. Raises the refusal, if that is what came out."""
        if self.seen is None:
            raise self.refusal or NotFound()
        return self.seen


def look_up(
    session: Session,
    *,
    actor: Staff,
    document_type: str,
    document_number: str,
    reference: Reference,
    number: str,
) -> Outcome:
    """The holder of a document, if `number` connects the clerk with them. Raises `IdentifierError`, `RateLimited`."""
    hit(rules.LOOK_UPS, str(actor.staff_id))
    document = normalise_document(DocumentType(document_type), document_number, today=clock.today())
    subject_id = people.find_by_document(session, document)
    good = _connects(session, actor, reference, number, subject_id)
    audit.record(
        session,
        actor=actor,
        action="person.look_up",
        object_type="subject",
        object_id=subject_id or "-",
        result="ok" if good else "anomaly",
        reference=reference.value,
    )
    if not good or subject_id is None:
        return Outcome(refusal=ReferenceNotMatched())
    return Outcome(seen(session, subject_id, document))


def _connects(session: Session, actor: Staff, reference: Reference, number: str, subject_id: UUID | None) -> bool:
    try:
        if reference is Reference.TICKET:
            return subject_id is not None and _at_my_halls_window(session, actor, number)
        if reference is Reference.CASE:
            return _is_my_case(session, actor, number, subject_id)
        if subject_id is None or actor.hall_id is None:
            return False
        return appointments.by_number(session, number, subject_id).hall_id == actor.hall_id
    except (NotFound, IdentifierError, ValueError):
        return False


def _is_my_case(session: Session, actor: Staff, number: str, subject_id: UUID | None) -> bool:
    found = cases.applicant_of(session, parse_case_number(number))
    if found is None or subject_id is None:
        return False
    case = cases.for_staff(session, found.case_id, actor)
    return subject_id in (case.owner_id, case.acting_id)


def _at_my_halls_window(session: Session, actor: Staff, ticket_id: str) -> bool:
    """Whether the ticket stands at a window of the clerk's hall now: of whom it is, only the person at the window knows."""
    if actor.hall_id is None:
        return False
    ticket = queue.in_hall(session, UUID(ticket_id), actor.hall_id)
    return ticket.day == clock.today() and ticket.state in _AT_A_WINDOW


def seen(session: Session, subject_id: UUID, document: DocumentNumber) -> Seen:
    """A person, masked, with what is open."""
    person = people.person(session, subject_id)
    return Seen(
        subject_id=subject_id,
        name=mask_name(person.name) if person.name else None,
        phone=mask_phone(person.phone) if person.phone else None,
        document_number=mask_document(document.number),
        level=identity.level(session, subject_id, clock.now()),
        open_matters=open_matters.open_matters(session, subject_id),
    )
