"""Naming the other parties of a booking, and their limits (AP-12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from auth.accounts import queries as accounts
from casework.appointments import queries, rules
from casework.appointments.models import Appointment, AppointmentParty
from casework.appointments.rules import Wish
from core import ids
from core.identifiers import DocumentNumber, DocumentType, normalise_document


@dataclass(frozen=True, slots=True)
class Party:
    """Another person who must be there, as named in the form."""

    name: str = field(repr=False)
    document: DocumentNumber | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A party and what we know of it: its keyed hash, and its subject if it has one here."""

    party: Party
    lookup: bytes | None
    subject_id: UUID | None

    @property
    def key(self) -> UUID | bytes | None:
        """By what the party is locked; None when only a name is known."""
        return self.subject_id or self.lookup


def recognise(session: Session, parties: Iterable[Party]) -> list[Known]:
    """Look the parties that have a document up among the people we know."""
    found = []
    for party in parties:
        document = party.document
        if document is None:
            found.append(Known(party, None, None))
        else:
            lookup = accounts.document_lookup(document)
            found.append(Known(party, lookup, accounts.find_by_document(session, document)))
    return found


def check_limits(session: Session, known: Iterable[Known], wish: Wish, now: datetime) -> None:
    """Each party's own limits: no other booking of the item, none in this hall that day. Raises `BookingLimit`."""
    lookups = [one.lookup for one in known if one.lookup is not None]
    subjects = [one.subject_id for one in known if one.subject_id is not None]
    if lookups and queries.parties_booked(session, subjects, lookups, wish, now):
        raise rules.limit("PARTY")


def write(session: Session, appointment: Appointment, known: Iterable[Known]) -> None:
    """Name the parties in an appointment whose row is written already."""
    rows = [
        AppointmentParty(
            id=ids.uuid7(),
            appointment_id=appointment.id,
            subject_id=one.subject_id,
            name=one.party.name,
            document_type=one.party.document.type if one.party.document else None,
            document=one.party.document.number if one.party.document else None,
            document_lookup=one.lookup,
        )
        for one in known
    ]
    session.add_all(rows)
    set_committed_value(appointment, "parties", rows)


def named_in(appointment: Appointment) -> list[Party]:
    """The parties of an appointment, to book it again elsewhere (AP-13)."""
    return [Party(row.name, _document(row)) for row in appointment.parties]


def _document(row: AppointmentParty) -> DocumentNumber | None:
    if row.document is None or row.document_type is None:
        return None
    return normalise_document(DocumentType(row.document_type), row.document)


def keys_of(appointment: Appointment) -> list[UUID | bytes | None]:
    """By what the parties of an appointment are locked."""
    return [row.subject_id or row.document_lookup for row in appointment.parties]
