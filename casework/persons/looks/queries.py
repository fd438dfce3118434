"""Reads of the looks at one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from auth.staff import queries as staff
from auth.staff.audits import queries as audits
from casework.persons.emergencies import queries as emergencies
from casework.persons.emergencies.rules import Verdict, verdict
from casework.places import queries as places
from core.audit import AuditEntry
from core.web.paging import Page

_ACTIONS = ("person.look_up", "person.emergency_look_up")
_EMERGENCY = "EMERGENCY"
_ALL = 10_000


@dataclass(frozen=True, slots=True)
class Look:
    """One look. `reason`: what of the person's was in hand, or EMERGENCY; `hall` is None for who works in no hall."""

    at: datetime
    reason: str
    hall: str | None
    verdict: Verdict | None


def of_person(session: Session, subject_id: UUID, args: Mapping[str, Any]) -> Page[Look]:
    """The looks at this person, the newest first."""
    hidden = [str(look_id) for look_id in emergencies.untold(session, subject_id)]
    page = audits.of_object(session, str(subject_id), _ACTIONS, args, but={"look": hidden})
    return Page(_looks(session, page.items), page.next_cursor)


def export(session: Session, subject_id: UUID) -> Mapping[str, Any]:
    """All of them, for the person's copy of everything."""
    found = of_person(session, subject_id, {"limit": _ALL}).items
    return {
        "looks": [{"at": look.at, "reason": look.reason, "hall": look.hall, "verdict": look.verdict} for look in found]
    }


def _looks(session: Session, entries: Sequence[AuditEntry]) -> list[Look]:
    """In at most four queries: the members' halls, the halls' names, and the reviews."""
    members = {entry.seq: UUID(entry.actor.removeprefix("staff:")) for entry in entries}
    halls = staff.halls_of(session, set(members.values()))
    names = {hall_id: places.hall(session, hall_id).name if hall_id else None for hall_id in set(halls.values())}
    found = {entry.seq: UUID(entry.facts["look"]) for entry in entries if "look" in entry.facts}
    reviews = emergencies.by_ids(session, found.values())
    return [
        Look(
            at=entry.at,
            reason=entry.facts.get("reference", _EMERGENCY),
            hall=names[halls[members[entry.seq]]],
            verdict=verdict(reviews[found[entry.seq]].justified) if entry.seq in found else None,
        )
        for entry in entries
    ]
